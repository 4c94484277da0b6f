/* json_memory: the JSON library without memory. Some of its releases (2.14 among them) do not look whether a text that they
 * read or write could grow: a byte is left out, so a name is another name, or its end is missed. What was judged would not
 * be what was sent. So an allocation of the library that fails ends the program: nothing goes on without it. */
#ifndef GATEWAY_CLI_JSON_MEMORY_H
#define GATEWAY_CLI_JSON_MEMORY_H

/* Before the library is first used. */
void json_memory_strict(void);

#endif

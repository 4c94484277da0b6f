/* nix32: Nix's own way to write a hash, 5 bits a character, most significant group first.
 * Units   bytes of the hash; characters without a NUL.
 * Source  NixOS/nix libutil/base-nix-32.cc. */
#ifndef GATEWAY_NIX_NIX32_H
#define GATEWAY_NIX_NIX32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NIX32_MAX = 103 };       /* characters of a sha512, the longest there is */

bool nix32_is_digit(char c);
size_t nix32_len(size_t hash_len);      /* characters that hash_len bytes take */

void nix32_encode(const uint8_t *hash, size_t len, char *out);  /* writes nix32_len(len) characters, no NUL */

/* Strict: exactly nix32_len(len) characters of the alphabet, and the bits left over are zero, so that a hash has one
 * spelling. false: it is no such text, and `hash` holds nothing of use. */
bool nix32_decode(const char *text, size_t text_len, uint8_t *hash, size_t len);

#endif

/* Prints the words of the protocols for fuzzers, out of the rows that decode them: numbers of operations and messages,
 * versions, magic numbers. */
#include "gateway/nix/ops.h"

int main(void)
{
	ops_dictionary(stdout);
	return 0;
}

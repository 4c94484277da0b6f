# bash completion for nix-gateway(8)

# The names that stand in the policy of the command line, as far as it may be read.
_nix_gateway_keys()
{
	local policy=/etc/nix-gateway/policy.ini word i

	for ((i = 1; i < ${#COMP_WORDS[@]}; i++)); do
		[[ ${COMP_WORDS[i]} == --policy ]] || continue
		word=${COMP_WORDS[i + 1]}
		[[ $word == = ]] && word=${COMP_WORDS[i + 2]}
		policy=$word
	done
	sed -n 's/^\[key \(.*\)\]$/\1/p' -- "$policy" 2>/dev/null
}

# The values of one option; fails where it has none to offer.
_nix_gateway_value()
{
	case $1 in
	--policy) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
	--key) mapfile -t COMPREPLY < <(_nix_gateway_keys | grep -F -- "$2" | while IFS= read -r key; do
		[[ $key == "$2"* ]] && printf '%q\n' "$key"; done) ;;
	--format) mapfile -t COMPREPLY < <(compgen -W "machines nixos home-manager ssh-config" -- "$2") ;;
	--host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$2") ;;
	--account) mapfile -t COMPREPLY < <(compgen -u -- "$2") ;;
	--system | --feature) COMPREPLY=() ;;
	*) return 1 ;;
	esac
}

_nix_gateway()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		words="serve authorized-keys check explain doctor env machines --help --version --list-operations -c"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	# `--key=alice` is three words to readline.
	if [[ $word == = ]]; then
		word= before=${COMP_WORDS[COMP_CWORD - 1]}
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	! _nix_gateway_value "$before" "$word" || return
	case $command in
	serve) words="--key --policy" ;;
	explain) words="--key --policy --system --feature" ;;
	doctor) words="--policy --account --json" ;;
	machines) words="--key --policy --host --format --account" ;;
	authorized-keys | check | env) words="--policy" ;;
	*) return ;;
	esac
	if [[ $command == explain && $word != -* ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -X '!*.drv' -- "$word"; compgen -d -- "$word")
		[[ -n $word ]] || mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _nix_gateway nix-gateway

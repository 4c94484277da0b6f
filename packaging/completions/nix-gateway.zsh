#compdef nix-gateway
# zsh completion for nix-gateway(8)

# The names that stand in the policy of the command line, as far as it may be read.
_nix_gateway_keys() {
	local policy=${opt_args[--policy]:-/etc/nix-gateway/policy.ini}
	local -a keys
	keys=(${(f)"$(sed -n 's/^\[key \(.*\)\]$/\1/p' -- ${(Q)policy} 2>/dev/null)"})
	compadd -a keys
}

_nix_gateway() {
	local context state state_descr line
	typeset -A opt_args
	local -a commands
	local policy='--policy=[another policy]:file:_files'
	local key='--key=[a section of the policy]:key:_nix_gateway_keys'
	local account="--account=[the builder's]:account:_users"

	commands=(
		'serve:the forced command'
		'authorized-keys:for AuthorizedKeysCommand'
		'check:name every fault of the policy'
		'explain:say what a key may do, and by which line'
		'doctor:look at everything a session needs'
		'env:show the environment of what is started'
		"machines:print the line for a client's machines file"
		'--help:show the usage'
		'--version:show the version'
		"--list-operations:show what of Nix's protocols is known"
		'-c:as a login shell'
	)
	if ((CURRENT == 2)); then
		_describe command commands
		return
	fi
	shift words
	((CURRENT--))
	case $words[1] in
	serve) _arguments $key $policy ;;
	explain)
		_arguments $key $policy '--system=[may it be built for]:system' '*--feature=[may it be asked for]:feature' \
			'*:derivation:_files -g "*.drv"'
		;;
	doctor) _arguments $policy $account '--json[for programs]' ;;
	machines)
		_arguments $key $policy $account '--host=[the name clients know]:host:_hosts' \
			'--format=[for what]:format:(machines nixos home-manager ssh-config)'
		;;
	authorized-keys | check | env) _arguments $policy ;;
	esac
}

_nix_gateway "$@"

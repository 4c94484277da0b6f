# fish completion for nix-gateway(8)

# The names that stand in the policy of the command line, as far as it may be read.
function __nix_gateway_keys
	set -l policy /etc/nix-gateway/policy.ini
	set -l words (commandline -opc)
	for i in (seq (count $words))
		switch $words[$i]
			case --policy
				test $i -lt (count $words); and set policy $words[(math $i + 1)]
			case '--policy=*'
				set policy (string replace -- '--policy=' '' $words[$i])
		end
	end
	test -r $policy; and string replace -rf '^\[key (.*)\]$' '$1' <$policy
end

function __nix_gateway_at
	set -l words (commandline -opc)
	test (count $words) -ge 2; and contains -- $words[2] $argv
end

complete -c nix-gateway -f
complete -c nix-gateway -n __fish_is_first_token -a serve -d 'The forced command'
complete -c nix-gateway -n __fish_is_first_token -a authorized-keys -d 'For AuthorizedKeysCommand'
complete -c nix-gateway -n __fish_is_first_token -a check -d 'Name every fault of the policy'
complete -c nix-gateway -n __fish_is_first_token -a explain -d 'Say what a key may do, and by which line'
complete -c nix-gateway -n __fish_is_first_token -a doctor -d 'Look at everything a session needs'
complete -c nix-gateway -n __fish_is_first_token -a env -d 'Show the environment of what is started'
complete -c nix-gateway -n __fish_is_first_token -a machines -d "Print the line for a client's machines file"
complete -c nix-gateway -n __fish_is_first_token -l help -d 'Show the usage'
complete -c nix-gateway -n __fish_is_first_token -l version -d 'Show the version'
complete -c nix-gateway -n __fish_is_first_token -l list-operations -d "Show what of Nix's protocols is known"
complete -c nix-gateway -n __fish_is_first_token -s c -d 'As a login shell'

complete -c nix-gateway -n '__nix_gateway_at serve explain machines' -l key -x -a '(__nix_gateway_keys)' -d 'A section of the policy'
complete -c nix-gateway -n '__nix_gateway_at serve authorized-keys check explain doctor env machines' -l policy -r -F -d 'Another policy'
complete -c nix-gateway -n '__nix_gateway_at explain' -l system -x -d 'May it be built for?'
complete -c nix-gateway -n '__nix_gateway_at explain' -l feature -x -d 'May it be asked for?'
complete -c nix-gateway -n '__nix_gateway_at explain' -k -a '(__fish_complete_suffix .drv)'
complete -c nix-gateway -n '__nix_gateway_at doctor machines' -l account -x -a '(__fish_complete_users)' -d "The builder's account"
complete -c nix-gateway -n '__nix_gateway_at doctor' -l json -d 'For programs'
complete -c nix-gateway -n '__nix_gateway_at machines' -l host -x -a '(__fish_print_hostnames)' -d 'The name clients know'
complete -c nix-gateway -n '__nix_gateway_at machines' -l format -x -a 'machines nixos home-manager ssh-config' -d 'For what'

# fish completion for wasmshare: options are those of `wasmshare COMMAND --help`
set -l commands combine relocate prepare inspect heap-base verify

complete -c wasmshare -f
complete -c wasmshare -n "not __fish_seen_subcommand_from $commands" -a combine -d 'Place modules in one memory'
complete -c wasmshare -n "not __fish_seen_subcommand_from $commands" -a relocate -d 'Move one module'
complete -c wasmshare -n "not __fish_seen_subcommand_from $commands" -a prepare -d 'Make modules placeable at load time'
complete -c wasmshare -n "not __fish_seen_subcommand_from $commands" -a inspect -d 'Show what was found in modules'
complete -c wasmshare -n "not __fish_seen_subcommand_from $commands" -a heap-base -d "Print a module's heap base"
complete -c wasmshare -n "not __fish_seen_subcommand_from $commands" -a verify -d 'Check modules against their layout'
complete -c wasmshare -n "not __fish_seen_subcommand_from $commands" -l help -d 'Show help'
complete -c wasmshare -n "not __fish_seen_subcommand_from $commands" -l version -d 'Show the version'
complete -c wasmshare -n "not __fish_seen_subcommand_from $commands" -l makefile -d 'Print the path of wasmshare.mk'

complete -c wasmshare -n '__fish_seen_subcommand_from combine relocate prepare inspect heap-base' -k -a '(__fish_complete_suffix .wasm)'
complete -c wasmshare -n '__fish_seen_subcommand_from verify' -k -a '(__fish_complete_suffix .json)'

for command in combine relocate prepare inspect
    command wasmshare $command --help 2>/dev/null | while read -l line
        set -l found (string match -r '^(?:-o, )?--([a-z-]+)=?(\S*) +(.*)' -- (string trim $line))
        test (count $found) = 4; or continue
        set -l option -c wasmshare -n "__fish_seen_subcommand_from $command" -l $found[2] -d $found[4]
        test $found[2] = output; and set -a option -s o
        switch "$command:$found[3]"
            case '*:'
                complete $option
            case relocate:OUT '*:FILE*'
                complete $option -r -F
            case '*:OUT'
                complete $option -x -a '(__fish_complete_directories)'
            case '*:shared'
                complete $option -x -a shared
            case '*'
                complete $option -x
        end
    end
end

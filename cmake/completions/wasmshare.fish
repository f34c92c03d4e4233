# fish completion for wasmshare
set -l commands combine relocate prepare inspect heap-base verify
set -l in_combine '__fish_seen_subcommand_from combine'
set -l in_relocate '__fish_seen_subcommand_from relocate'

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
complete -c wasmshare -n '__fish_seen_subcommand_from inspect' -l json -d 'As JSON'

complete -c wasmshare -n "$in_combine; or __fish_seen_subcommand_from prepare" -s o -l output -x -a '(__fish_complete_directories)' -d 'Directory to write to'
complete -c wasmshare -n "$in_combine" -l name -x -d "The layout's name"
complete -c wasmshare -n "$in_combine" -l extra-stack -x -d "Bytes added to each module's stack"
complete -c wasmshare -n "$in_combine" -l base -x -d 'Lowest address to use'
complete -c wasmshare -n "$in_combine" -l align -x -d "Alignment of each module's range"
complete -c wasmshare -n "$in_combine" -l heap-size -x -d 'Initial heap in bytes'
complete -c wasmshare -n "$in_combine" -l max-memory -x -d 'Maximum of the memory in bytes'
complete -c wasmshare -n "$in_combine" -l stack -x -a shared -d 'One stack for all'
complete -c wasmshare -n "$in_combine" -l stack-size -x -d 'Its size in bytes'
complete -c wasmshare -n "$in_combine" -l table -x -a shared -d 'One function table for all'
complete -c wasmshare -n "$in_combine" -l heap-owner -x -d 'The module that gets the initial heap'
complete -c wasmshare -n "$in_combine" -l heap -x -d 'Vouch for what the heap of a module is'
complete -c wasmshare -n "$in_combine" -l link -d 'Make the modules one program'
complete -c wasmshare -n "$in_combine" -l single -r -F -d 'Write one module'
complete -c wasmshare -n "$in_combine" -l import-memory -d 'Have that import its memory'
complete -c wasmshare -n "$in_combine" -l strip-debug -d 'Leave out its DWARF'
complete -c wasmshare -n "$in_combine" -l threads -x -d 'Room for more threads'
complete -c wasmshare -n "$in_combine" -l host-import -x -d 'An import that the host gives'
complete -c wasmshare -n "$in_combine" -l host-imports -x -d 'A module whose imports the host gives'
complete -c wasmshare -n "$in_combine" -l prefer -x -d 'The module to take of several that export a name'
complete -c wasmshare -n "$in_combine" -l map -r -F -d 'Draw a memory map'
complete -c wasmshare -n "$in_combine" -l env -r -F -d 'Write a module that makes memory, stack pointer and table'
complete -c wasmshare -n "$in_combine" -l print-map -d 'Print a memory map'
complete -c wasmshare -n "$in_combine; or __fish_seen_subcommand_from prepare" -l depfile -r -F -d 'Write the dependencies for Make or Ninja'

complete -c wasmshare -n "$in_relocate" -s o -l output -r -F -d 'File to write'
complete -c wasmshare -n "$in_relocate" -l offset -x -d 'Bytes to move by'
complete -c wasmshare -n "$in_relocate" -l heap-base -x -d 'The new heap base'
complete -c wasmshare -n "$in_relocate" -l table-offset -x -d 'Elements to move function pointers by'

complete -c wasmshare -n "$in_combine; or $in_relocate" -l keep-relocs -d 'Keep the relocations'
complete -c wasmshare -n "$in_combine; or $in_relocate; or __fish_seen_subcommand_from prepare inspect" -l trust-pic -d 'Take PIC modules without relocations'

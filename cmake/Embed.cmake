# Writes a C file that defines each of the files named after OUTPUT as an array of characters, ending in 0:
# layout.d.mts becomes `const char layout_d_mts[]`.
#
#     cmake -P Embed.cmake OUTPUT FILE...
math(EXPR last "${CMAKE_ARGC} - 1")
set(text "")
foreach(i RANGE 4 ${last})
  set(path "${CMAKE_ARGV${i}}")
  get_filename_component(name "${path}" NAME)
  string(MAKE_C_IDENTIFIER "${name}" name)
  file(READ "${path}" bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  string(APPEND text "extern const char ${name}[];\nconst char ${name}[] = {\n${bytes}0};\n")
endforeach()
file(WRITE "${CMAKE_ARGV3}" "${text}")

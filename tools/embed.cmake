# cmake -DOUT=FILE.c -DFOLDER=FOLDER -P embed.cmake: the files of FOLDER as C, for
# core/cli/plugin_template.h.  Bytes and not strings: a literal is at most 4095 characters long.
file(GLOB files RELATIVE ${FOLDER} ${FOLDER}/*)
set(text "#include \"core/cli/plugin_template.h\"\n\n#include <stddef.h>\n\n")
set(rows "")
foreach(file ${files})
    file(READ ${FOLDER}/${file} hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "[^a-zA-Z]" "_" symbol ${file})
    string(APPEND text "static const unsigned char ${symbol}[] = {${bytes}0};\n")
    string(APPEND rows "    { \"${file}\", (const char *)${symbol}, sizeof ${symbol} - 1 },\n")
endforeach()
string(APPEND text "\nconst struct template_file plugin_template[] = {\n${rows}    { NULL, NULL, 0 },\n};\n")
file(WRITE ${OUT} "${text}")

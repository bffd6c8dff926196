# Every tests/**/test_*.c is one test program, named by its path.  A fixture beside them is
# linked into the tests that include its header and into no other: two fixtures may define the
# same call of the C library anew.  tests/sim and tests/bench are programs of their own,
# tests/plugins holds plugins to be loaded.
#
# tests/plugins/NAME tests the parts of the plugin NAME: a test there is linked with the sources of
# that plugin, and with ours for what a host would answer.  A referee_*.c is a program that
# referee_*.py beside it drives, to compare what the plugin does with what other people's do.
find_library_of(cmocka cmocka)
find_library_of(bson libbson-1.0)

file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/test_*.c)

# Threads live in these folders; everything else runs on one, so building it
# with the thread sanitizer would find nothing.
set(threaded_folders core/base storage core/plugin core/http core/outside core/server)

# fixtures_of(SOURCE RESULT): the fixtures whose headers SOURCE includes, each compiled once.
function(fixtures_of source result)
    set(found "")
    file(STRINGS ${source} lines REGEX "^#include \"tests/.*_fixture\\.h\"")
    foreach(line ${lines})
        string(REGEX REPLACE "^#include \"(tests/.*)\\.h\".*" "\\1" path ${line})
        string(REPLACE "/" "_" fixture ${path})
        if(NOT TARGET ${fixture})
            add_library(${fixture} OBJECT ${CMAKE_SOURCE_DIR}/${path}.c)
            set_target_properties(${fixture} PROPERTIES C_VISIBILITY_PRESET default)
            target_link_libraries(${fixture} PRIVATE kith_warnings ${KITH_LIBRARIES}
                                  PkgConfig::cmocka PkgConfig::bson)
        endif()
        list(APPEND found $<TARGET_OBJECTS:${fixture}>)
    endforeach()
    set(${result} ${found} PARENT_SCOPE)
endfunction()

foreach(source ${tests})
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_SOURCE_DIR}/tests
               OUTPUT_VARIABLE path)
    cmake_path(GET path PARENT_PATH folder)
    string(REGEX REPLACE "\\.c$" "" name ${path})
    string(REPLACE "/" "_" target ${name})

    fixtures_of(${source} fixtures)
    add_executable(${target} ${source} ${fixtures})
    set_target_properties(${target} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests
        # What a fixture defines anew is for the libraries of the process too.
        C_VISIBILITY_PRESET default
        ENABLE_EXPORTS ON)
    if(folder MATCHES "^plugins/(.+)$")
        target_link_libraries(${target} PRIVATE kith_warnings plugin_${CMAKE_MATCH_1}_parts
                              ${KITH_LIBRARIES} PkgConfig::cmocka)
        target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}
                                   ${CMAKE_SOURCE_DIR}/plugins/sdk)
    else()
        target_link_libraries(${target} PRIVATE kith_warnings ${KITH_LIBRARIES}
                              PkgConfig::cmocka PkgConfig::bson)
    endif()
    if(folder STREQUAL "sim")
        target_link_libraries(${target} PRIVATE kith_sim)
    endif()
    add_test(NAME ${name} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    # Far more than it takes: a busy machine is no failure.
    set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS "${folder}")
    if(folder STREQUAL "sim") # thousands of processes, slow to fork under a sanitizer: first
        set_tests_properties(${name} PROPERTIES COST 100)
    endif()
    if(folder IN_LIST threaded_folders)
        set_property(TEST ${name} APPEND PROPERTY LABELS threads)
    endif()
endforeach()

# One plugin a file: the good ones per call family and the shelf of bad ones.
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/plugins/*.c)
list(FILTER sources EXCLUDE REGEX "/test_[^/]*\\.c$")
foreach(source ${sources})
    cmake_path(GET source STEM name)
    kith_plugin_module(test_plugin_${name} tests/plugins ${source})
    # A bad one is to die of what it does, and not of a sanitizer that sees it coming.
    if(KITH_SANITIZE AND name MATCHES "^(bad|odd)_")
        target_compile_options(test_plugin_${name} PRIVATE -fno-sanitize=all)
    endif()
    set_target_properties(test_plugin_${name} PROPERTIES OUTPUT_NAME ${name})
    list(APPEND shelf test_plugin_${name})
endforeach()
# Tests of the host load them.
foreach(source ${tests})
    if(source MATCHES "/tests/core/plugin/test_([^/]*)\\.c$")
        add_dependencies(core_plugin_test_${CMAKE_MATCH_1} ${shelf})
    endif()
endforeach()

file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/plugins/*/referee_*.c)
foreach(source ${sources})
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_SOURCE_DIR}/tests OUTPUT_VARIABLE path)
    string(REGEX REPLACE "\\.c$" "" path ${path})
    string(REGEX REPLACE "^plugins/([^/]+)/.*" "\\1" plugin ${path})
    string(REPLACE "/" "_" target ${path})
    add_executable(${target} ${source})
    set_target_properties(${target} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${target} PRIVATE kith_warnings plugin_${plugin}_parts)
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR})
    add_test(NAME ${path} COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/${path}.py
                                  $<TARGET_FILE:${target}>)
    set_tests_properties(${path} PROPERTIES TIMEOUT 600 LABELS "plugins/${plugin}")
endforeach()

# NAMEd.c in tests/plugins/PLUGIN is a server around parts of that plugin, for end-to-end tests.
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/plugins/*/*d.c)
list(FILTER sources EXCLUDE REGEX "/(test_|referee_)[^/]*\\.c$")
foreach(source ${sources})
    cmake_path(GET source STEM name)
    string(REGEX REPLACE ".*/tests/plugins/([^/]+)/.*" "\\1" plugin ${source})
    fixtures_of(${source} fixtures)
    add_executable(${name} ${source} ${fixtures})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE kith_warnings plugin_${plugin}_parts)
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
endforeach()

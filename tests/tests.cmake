# Every tests/**/test_*.c is one test program, named by its path.  Other C files
# beside them are helpers that all of them may call.  tests/sim and tests/bench
# are programs of their own, tests/plugins holds plugins to be loaded.
find_library_of(cmocka cmocka)
find_library_of(bson libbson-1.0)

file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/test_*.c)
file(GLOB_RECURSE helpers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*.c)
list(FILTER helpers EXCLUDE REGEX "/test_[^/]*\\.c$|/tests/(sim|bench|fuzz|plugins)/")

# Threads live in these folders; everything else runs on one, so building it
# with the thread sanitizer would find nothing.
set(threaded_folders core/base storage core/plugin core/server)

if(helpers)
    add_library(kith_testing STATIC ${helpers})
    target_link_libraries(kith_testing PRIVATE kith_warnings
                          PUBLIC ${KITH_LIBRARIES} PkgConfig::cmocka PkgConfig::bson)
else()
    add_library(kith_testing INTERFACE)
    target_link_libraries(kith_testing INTERFACE ${KITH_LIBRARIES}
                          PkgConfig::cmocka PkgConfig::bson)
endif()

foreach(source ${tests})
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_SOURCE_DIR}/tests
               OUTPUT_VARIABLE path)
    cmake_path(GET path PARENT_PATH folder)
    string(REGEX REPLACE "\\.c$" "" name ${path})
    string(REPLACE "/" "_" target ${name})

    add_executable(${target} ${source})
    set_target_properties(${target} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${target} PRIVATE kith_warnings kith_testing)
    if(folder STREQUAL "sim")
        target_link_libraries(${target} PRIVATE kith_sim)
    endif()
    add_test(NAME ${name} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS "${folder}")
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
    set_target_properties(test_plugin_${name} PROPERTIES OUTPUT_NAME ${name})
endforeach()

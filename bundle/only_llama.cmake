# Read by llama-cpp-python's build at each project() (CMAKE_PROJECT_INCLUDE). Its CMakeLists.txt forces the cache entry
# LLAMA_BUILD_COMMON on; this ordinary variable goes before it. llama.cpp's `common` library serves its own programs
# (40% of the files to compile), and Python's bindings never load it.
set(LLAMA_BUILD_COMMON OFF)

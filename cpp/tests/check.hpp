// How the engine's test programs report failures.
#pragma once

#include <cstdio>
#include <string>

inline int failures = 0;

inline void check(bool good, const std::string& what) {
    if (good) return;
    std::printf("FAILED: %s\n", what.c_str());
    ++failures;
}

// SPDX-License-Identifier: MIT
// Precompiled for every suite: Catch2 is one header, which takes longer to read than any test to compile. Nothing may
// rely on this being included.
#include <catch2/catch.hpp>

#include <thread>

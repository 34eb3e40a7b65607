// A module's pool of threads. It lives as long as the process, survives a fork and never makes a caller wait for
// another one.
#pragma once
#include <cstddef>
#include <functional>

namespace qloom {

// Runs task(0) .. task(n - 1) on up to `threads` threads, the caller's included; returns when all are done.
// A call made while the pool works for another one runs on the caller's thread alone. The first exception is rethrown.
void parallel_for(size_t n, int threads, const std::function<void(size_t)>& task);

// Processors this process may run on.
int available_threads();

}  // namespace qloom

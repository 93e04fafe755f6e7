// SPDX-License-Identifier: MIT
// converge.h as a C++ program uses it: owned by unique_ptr, called from threads, in a namespace of
// the program's own. Exit status 0 if a malformed question is never good.
#include <converge.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Free {
    void operator()(converge_options *options) const { converge_options_free(options); }
    void operator()(converge_result *result) const { converge_result_free(result); }
};
using Options = std::unique_ptr<converge_options, Free>;
using Result = std::unique_ptr<converge_result, Free>;

bool malformed_is_refused(const std::string &host)
{
    Options options(converge_options_new());
    const unsigned char der[] = {0x30, 0x00};
    converge_result *raw = nullptr;

    if (!options || converge_options_set_timeout_ms(options.get(), 99) != -1 ||
        converge_options_set_certificate(options.get(), der, sizeof der) != 0 ||
        converge_options_set_start_agent(options.get(), 0) != 0)
        return false;
    const int code = converge_check(host.c_str(), 443, nullptr, options.get(), &raw);
    const Result result(raw);
    return code == 1 && result && converge_result_vote_count(result.get()) == 0 &&
           std::strcmp(converge_result_reason(result.get()), "bad-question") == 0;
}

} // namespace

int main()
{
    std::vector<std::thread> threads;
    bool good[4] = {};

    for (bool &one : good)
        threads.emplace_back([&one] { one = malformed_is_refused("a..b"); });
    for (std::thread &thread : threads)
        thread.join();
    for (bool one : good)
        if (!one)
            return 1;
    return converge("", 0, "") == 1 && converge_strerror(1) && converge_version() ? 0 : 1;
}

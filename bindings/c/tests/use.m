/* SPDX-License-Identifier: MIT */
/* converge.h as an Objective-C program uses it, over GNU's runtime: a class that asks. Exit status
 * 0 if a malformed question is never good. */
#import <converge.h>
#import <string.h>

__attribute__((objc_root_class))
@interface Check {
    Class isa;
}
+ (int)host:(const char *)host port:(int)port fingerprint:(const char *)fingerprint;
+ (int)host:(const char *)host isRefusedFor:(const char *)reason;
@end

@implementation Check
+ (int)host:(const char *)host port:(int)port fingerprint:(const char *)fingerprint
{
    return converge(host, port, fingerprint);
}
+ (int)host:(const char *)host isRefusedFor:(const char *)reason
{
    converge_result *result = NULL;
    int code = converge_check(host, 443, "00", NULL, &result);
    int same = result != NULL && strcmp(converge_result_reason(result), reason) == 0;

    converge_result_free(result);
    return code == 1 && same;
}
@end

int main(void)
{
    int good = [Check host:"" port:0 fingerprint:""] == 1;

    return good && [Check host:"a..b" isRefusedFor:"bad-question"] ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/* The look for a captive portal: one notary after the other, few of them, each with little time and
 * few octets. */
#include "common/engine/portal.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/engine/agent-state.h"
#include "common/engine/curl-loop.h"

#define PATH        "/.well-known/converge/portal-check"
#define PAUSE_MS    15000 /* between two looks */
#define BELIEVED_MS 30000 /* how long what was found counts */
#define HOSTS_MAX   3     /* asked in one look */
#define HOST_MS     1500  /* for one of them */
#define OCTETS_MAX  16384 /* of an answer's head, and of its page */
#define HTTP_PORT   80
#define RESOLVE_MAX (CVG_HOST_MAX + 64)

struct cvg_portal {
    struct cvg_agent *agent;
    struct cvg_curl_loop *loop;
    struct cvg_electorate *electorate; /* whose notaries are asked; NULL: no look is under way */
    CURL *easy;
    struct curl_slist *connect_to;
    const struct cvg_bundle_host *host;
    size_t first, asked, octets;
    bool looked, found, here;
    uint64_t looked_ms, found_ms;
    char heard[CVG_PORTAL_URL_MAX], url[CVG_PORTAL_URL_MAX];
};

static size_t on_octets(char *data, size_t size, size_t count, void *user)
{
    struct cvg_portal *portal = user;

    (void)data;
    portal->octets += size * count;
    return portal->octets <= OCTETS_MAX ? size * count : 0;
}

static void end_fetch(struct cvg_portal *portal)
{
    curl_easy_cleanup(portal->easy);
    curl_slist_free_all(portal->connect_to);
    portal->easy = NULL;
    portal->connect_to = NULL;
}

/* Where the bundle names an address, no DNS is asked. */
static bool connect_to(struct cvg_portal *portal)
{
    const struct cvg_bundle_host *host = portal->host;
    const char *address = host->address_count > 0 ? host->address[0] : host->host;
    bool v6 = strchr(address, ':') != NULL;
    char text[RESOLVE_MAX];

    if (host->address_count == 0)
        return true;
    snprintf(text, sizeof text, v6 ? "::[%s]:" : "::%s:", address);
    portal->connect_to = curl_slist_append(NULL, text);
    return portal->connect_to != NULL &&
           curl_easy_setopt(portal->easy, CURLOPT_CONNECT_TO, portal->connect_to) == CURLE_OK;
}

static bool set_up(struct cvg_portal *portal, const char *url)
{
    CURL *easy = portal->easy;

    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)HOST_MS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_octets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, portal) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_octets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, portal) == CURLE_OK && connect_to(portal);
}

static bool begin_fetch(struct cvg_portal *portal)
{
    unsigned port = portal->host->relay_port != 0 ? portal->host->relay_port : HTTP_PORT;
    bool v6 = strchr(portal->host->host, ':') != NULL;
    char url[CVG_HOST_MAX + sizeof PATH + 32];

    snprintf(url, sizeof url, v6 ? "http://[%s]:%u%s" : "http://%s:%u%s", portal->host->host, port,
             PATH);
    portal->octets = 0;
    portal->easy = curl_easy_init();
    if (portal->easy != NULL && set_up(portal, url) &&
        cvg_curl_loop_add(portal->loop, portal->easy) == CVG_OK)
        return true;
    end_fetch(portal);
    return false;
}

static void conclude_look(struct cvg_portal *portal)
{
    if (!portal->found) {
        portal->here = false;
        return;
    }
    if (!portal->here)
        cvg_log(CVG_LOG_NOTICE, "there seems to be a captive portal on the way to the notaries%s%s",
                portal->heard[0] != '\0' ? ": " : "", portal->heard);
    portal->here = true;
    portal->found_ms = cvg_clock_ms(portal->agent->world.clock);
    memcpy(portal->url, portal->heard, sizeof portal->url);
}

static void end_look(struct cvg_portal *portal)
{
    cvg_electorate_unref(portal->electorate);
    portal->electorate = NULL;
    conclude_look(portal);
    cvg_checks_looked(portal->agent->checks);
}

static void ask_next(struct cvg_portal *portal)
{
    const struct cvg_bundles *bundles = &portal->electorate->bundles;

    while (portal->asked < bundles->count && portal->asked < HOSTS_MAX) {
        size_t notary = (portal->first + portal->asked++) % bundles->count;

        portal->host = &bundles->bundle[notary]->host[0];
        if (begin_fetch(portal))
            return;
    }
    end_look(portal);
}

static enum cvg_portal_sign read_page(struct cvg_portal *portal,
                                      char ret_url[static CVG_PORTAL_URL_MAX])
{
    struct cvg_portal_page page = {.at_relay = portal->host->relay_port != 0};
    char *redirect = NULL, *address = NULL;

    curl_easy_getinfo(portal->easy, CURLINFO_RESPONSE_CODE, &page.status);
    curl_easy_getinfo(portal->easy, CURLINFO_REDIRECT_URL, &redirect);
    curl_easy_getinfo(portal->easy, CURLINFO_PRIMARY_IP, &address);
    page.redirect = redirect;
    page.address = address;
    return cvg_portal_judge(portal->host, &page, ret_url);
}

/* A page that was cut off for its size is a page. One notary's own word outweighs the signs at
 * others: a portal stands before all of them. */
static void on_done(CURL *easy, CURLcode code, void *user)
{
    struct cvg_portal *portal = user;
    enum cvg_portal_sign sign = CVG_PORTAL_NOTHING;
    char url[CVG_PORTAL_URL_MAX];

    (void)easy;
    if (code == CURLE_OK || code == CURLE_WRITE_ERROR)
        sign = read_page(portal, url);
    end_fetch(portal);
    if (sign == CVG_PORTAL_HERE) {
        portal->found = true;
        if (portal->heard[0] == '\0')
            memcpy(portal->heard, url, sizeof url);
    }
    if (sign == CVG_PORTAL_NONE) {
        portal->found = false;
        portal->asked = HOSTS_MAX;
    }
    ask_next(portal);
}

static void begin_look(struct cvg_portal *portal)
{
    struct cvg_agent *agent = portal->agent;
    size_t count = agent->electorate->bundles.count;

    if (portal->electorate != NULL || count == 0 || !agent->electorate->config.portal_check)
        return;
    if (portal->looked && cvg_clock_ms(agent->world.clock) - portal->looked_ms < PAUSE_MS)
        return;
    portal->looked = true;
    portal->looked_ms = cvg_clock_ms(agent->world.clock);
    portal->electorate = cvg_electorate_ref(agent->electorate);
    portal->first = agent->world.below(agent->world.user, (uint32_t)count);
    portal->asked = 0;
    portal->found = false;
    portal->heard[0] = '\0';
    ask_next(portal);
}

bool cvg_portal_look(struct cvg_portal *portal)
{
    begin_look(portal);
    return portal->electorate != NULL;
}

void cvg_portal_hear(struct cvg_portal *portal, const struct cvg_answer *answer)
{
    if (answer->reason == CVG_REASON_VOTE)
        portal->here = false;
}

const char *cvg_portal_url(struct cvg_portal *portal)
{
    if (portal->here && cvg_clock_ms(portal->agent->world.clock) - portal->found_ms >= BELIEVED_MS)
        portal->here = false;
    return portal->here && portal->agent->electorate->config.portal_check ? portal->url : NULL;
}

enum cvg_error cvg_portal_new(struct cvg_agent *agent, struct cvg_portal **ret_portal)
{
    struct cvg_portal *portal = calloc(1, sizeof *portal);
    enum cvg_error err = CVG_ERR_NOMEM;

    if (portal != NULL)
        err = cvg_curl_loop_new(&agent->loop, on_done, portal, &portal->loop);
    if (err != CVG_OK) {
        free(portal);
        return err;
    }
    portal->agent = agent;
    *ret_portal = portal;
    return CVG_OK;
}

void cvg_portal_free(struct cvg_portal *portal)
{
    if (portal == NULL)
        return;
    if (portal->easy != NULL)
        cvg_curl_loop_remove(portal->loop, portal->easy);
    end_fetch(portal);
    cvg_curl_loop_free(portal->loop);
    cvg_electorate_unref(portal->electorate);
    free(portal);
}

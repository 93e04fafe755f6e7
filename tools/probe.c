/* SPDX-License-Identifier: MIT */
/* Observes one program through the questions it asks. */
#include "tools/probe.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tools/child.h"
#include "tools/fake-agent.h"
#include "tools/loopback.h"

#define TIMEOUT_MS    15000
#define ARGUMENTS_MAX 10
#define ARGUMENT_MAX  512

/* What makes a program connect to localhost; "PORT" becomes the server's. Longer names first where
 * one is the beginning of another ("python3.11" is a python3). */
static const struct recipe {
    const char *program;
    const char *arguments[ARGUMENTS_MAX];
} recipes[] = {
    {"curl", {"-q", "-sS", "-m", "5", "--noproxy", "*", "https://localhost:PORT/"}},
    {"wget",
     {"-q", "--no-proxy", "-T", "5", "-t", "1", "-O", "/dev/null", "https://localhost:PORT/"}},
    {"git", {"-c", "http.proxy=", "ls-remote", "https://localhost:PORT/x"}},
    {"openssl", {"s_client", "-connect", "localhost:PORT", "-servername", "localhost"}},
    {"w3m", {"-no-proxy", "-dump_head", "https://localhost:PORT/"}},
    {"python",
     {"-c", "import socket, ssl\n"
            "ssl.create_default_context().wrap_socket(\n"
            "  socket.create_connection(('localhost', PORT), 5), server_hostname='localhost')\n"}},
    {"node",
     /* family: older ones try only the first address of a name, which may be IPv6's. */
     {"-e", "require('tls').connect({port: PORT, host: 'localhost', family: 4, servername: "
            "'localhost'}).on('error', () => process.exit(0)).on('secureConnect', () => "
            "process.exit(0))"}},
    {"ruby",
     {"-rsocket", "-ropenssl", "-e",
      "c = OpenSSL::SSL::SSLContext.new; c.set_params\n"
      "s = OpenSSL::SSL::SSLSocket.new(TCPSocket.new('localhost', PORT), c)\n"
      "s.hostname = 'localhost'; s.connect\n"}},
    {"php", {"-r", "@stream_socket_client('tls://localhost:PORT', $e, $s, 5);"}},
    {"perl", {"-MIO::Socket::SSL", "-e", "IO::Socket::SSL->new('localhost:PORT')"}},
};

static const struct recipe *find_recipe(const char *program)
{
    const char *name = basename(program);

    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        size_t len = strlen(recipes[i].program);

        /* nodejs, python3.11, php8.2 are the same programs. */
        if (strncmp(name, recipes[i].program, len) == 0 &&
            strspn(name + len, "0123456789.js") == strlen(name + len))
            return &recipes[i];
    }
    return NULL;
}

bool cvg_probe_knows(const char *program)
{
    return find_recipe(program) != NULL;
}

/* Copies the argument with the port's number where it says PORT. */
static void fill_in(const char *argument, uint16_t port, char ret_text[static ARGUMENT_MAX])
{
    const char *at = strstr(argument, "PORT");

    if (at == NULL)
        snprintf(ret_text, ARGUMENT_MAX, "%s", argument);
    else
        snprintf(ret_text, ARGUMENT_MAX, "%.*s%u%s", (int)(at - argument), argument, (unsigned)port,
                 at + strlen("PORT"));
}

static enum cvg_error start_known(const char *program, const struct recipe *recipe, uint16_t port,
                                  const char *openssl_conf, const char *config_dir,
                                  struct cvg_child *ret_child, struct cvg_why *ret_why)
{
    char name[ARGUMENT_MAX], texts[ARGUMENTS_MAX][ARGUMENT_MAX];
    char *arguments[ARGUMENTS_MAX + 2] = {name};
    size_t count = 0;

    snprintf(name, sizeof name, "%s", program);
    for (; count < ARGUMENTS_MAX && recipe->arguments[count] != NULL; count++) {
        fill_in(recipe->arguments[count], port, texts[count]);
        arguments[count + 1] = texts[count];
    }
    return cvg_child_start(program, arguments, openssl_conf, config_dir, ret_child, ret_why);
}

static void take_question(const struct cvg_fake_agent *agent, uint16_t port,
                          struct cvg_probe *probe)
{
    struct cvg_question question;
    uint8_t leaf[CVG_SHA256_LEN];

    if (cvg_fake_agent_answer(agent, false, &question, leaf) != CVG_OK)
        return;
    if (!probe->asked) {
        memcpy(probe->host, question.host, sizeof probe->host);
        probe->port = question.port_count > 0 ? question.port[0] : 0;
    }
    probe->asked = true;
    for (size_t i = 0; i < question.port_count; i++)
        if (question.port[i] == port && strcmp(question.host, "localhost") == 0)
            probe->right = true;
}

/* Until the program closes its output, or its time is over: one that goes on has been seen enough
 * of. */
static void follow(const struct cvg_fake_agent *agent, const struct cvg_loopback *server,
                   int output, struct cvg_probe *probe)
{
    const struct cvg_clock *clock = cvg_clock_system();
    uint64_t deadline_ms = cvg_clock_ms(clock) + TIMEOUT_MS;
    char chunk[4096];

    for (;;) {
        struct pollfd polls[3] = {{.fd = output, .events = POLLIN},
                                  {.fd = agent->fd, .events = POLLIN},
                                  {.fd = probe->connected ? -1 : server->visits, .events = POLLIN}};
        uint64_t now = cvg_clock_ms(clock);

        if (now >= deadline_ms || poll(polls, 3, (int)(deadline_ms - now)) == 0)
            return;
        if ((polls[1].revents & POLLIN) != 0)
            take_question(agent, server->port, probe);
        if ((polls[2].revents & POLLIN) != 0)
            probe->connected = true;
        if (polls[0].revents != 0 && read(output, chunk, sizeof chunk) <= 0)
            return;
    }
}

static enum cvg_error observe(const char *program, char *const arguments[],
                              const char *openssl_conf, const struct cvg_fake_agent *agent,
                              struct cvg_probe *probe, struct cvg_why *ret_why)
{
    const struct recipe *recipe = find_recipe(program);
    struct cvg_child child = {.pid = -1, .output = -1};
    struct cvg_loopback server;
    enum cvg_error err;

    if (arguments == NULL && recipe == NULL)
        return cvg_fail(ret_why, CVG_ERR_ARGUMENT, "it is not known how to make %s connect",
                        program);
    err = cvg_loopback_start(&server, ret_why);
    if (err != CVG_OK)
        return err;
    if (arguments != NULL)
        err = cvg_child_start(program, arguments, openssl_conf, agent->directory, &child, ret_why);
    else
        err = start_known(program, recipe, server.port, openssl_conf, agent->directory, &child,
                          ret_why);
    if (err == CVG_OK) {
        probe->ran = true;
        follow(agent, &server, child.output, probe);
        cvg_child_end(&child);
    }
    cvg_loopback_end(&server);
    return err;
}

enum cvg_error cvg_probe_run(const char *program, char *const arguments[], const char *openssl_conf,
                             struct cvg_probe *ret_probe, struct cvg_why *ret_why)
{
    struct cvg_fake_agent agent;
    enum cvg_error err = cvg_fake_agent_open(&agent, ret_why);

    if (err != CVG_OK)
        return err;
    memset(ret_probe, 0, sizeof *ret_probe);
    err = observe(program, arguments, openssl_conf, &agent, ret_probe, ret_why);
    cvg_fake_agent_close(&agent);
    return err;
}

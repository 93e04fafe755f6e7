/* SPDX-License-Identifier: MIT */
/* What program this is, and whether it must go without checks: the agent needs the network and the
 * resolver, so a program that brings those up would wait for itself. */
#include "common/client/client.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static const char *const shipped[] = {
    /* our own */
    "converge-agent",
    "converge-notaryd",
    /* resolvers */
    "coredns",
    "dnscrypt-proxy",
    "dnsdist",
    "dnsmasq",
    "knot-resolver",
    "knotd",
    "kresd",
    "named",
    "pdns_recursor",
    "pdns_server",
    "smartdns",
    "stubby",
    "systemd-resolved",
    "unbound",
    "unbound-anchor",
    /* the network and the clock */
    "charon",
    "charon-nm",
    "charon-systemd",
    "chronyd",
    "connmand",
    "dhclient",
    "dhcpcd",
    "freeradius",
    "hostapd",
    "iwd",
    "ModemManager",
    "NetworkManager",
    "ntpd",
    "openconnect",
    "openvpn",
    "pluto",
    "pppd",
    "radiusd",
    "sstpc",
    "systemd-networkd",
    "systemd-timesyncd",
    "tailscaled",
    "vpnc",
    "wpa_supplicant",
    "xl2tpd",
    /* mail servers: opportunistic encryption, most of it with certificates of nobody's */
    "exim",
    "exim4",
    "opensmtpd",
    "qmail-remote",
    "sendmail",
    "smtp",
    "smtpd",
    "tlsproxy",
};

bool cvg_client_excluded(const struct cvg_config *config, const char *name)
{
    for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++)
        if (strcmp(shipped[i], name) == 0)
            return true;
    for (size_t i = 0; i < config->exclude_programs.count; i++)
        if (strcmp(config->exclude_programs.word[i], name) == 0)
            return true;
    return false;
}

/* Cuts what the kernel appends to the path of a file that was replaced by an upgrade. */
static void cut_deleted(char *path)
{
    static const char mark[] = " (deleted)";
    size_t len = strlen(path);

    if (len > sizeof mark - 1 && strcmp(path + len - (sizeof mark - 1), mark) == 0)
        path[len - (sizeof mark - 1)] = '\0';
}

void cvg_client_program_name(char ret_name[static CVG_MESSAGE_NAME_MAX])
{
    char path[1024];
    int saved = errno;
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    const char *name = program_invocation_short_name;
    size_t i;

    if (len > 0) {
        path[len] = '\0';
        cut_deleted(path);
        name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    }
    for (i = 0; i < CVG_MESSAGE_NAME_MAX - 1 && name[i] != '\0'; i++)
        ret_name[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
    ret_name[i] = '\0';
    errno = saved;
}

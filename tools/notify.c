/* SPDX-License-Identifier: MIT */
/* The one method of org.freedesktop.Notifications that is needed, over libdbus. */
#include "config.h"

#include "tools/notify.h"

#ifdef HAVE_DBUS

#include <dbus/dbus.h>
#include <stdlib.h>

#define SERVICE "org.freedesktop.Notifications"
#define OBJECT  "/org/freedesktop/Notifications"

struct cvg_notify {
    DBusConnection *bus;
};

enum cvg_error cvg_notify_new(struct cvg_notify **ret_notify, struct cvg_why *ret_why)
{
    struct cvg_notify *notify = calloc(1, sizeof *notify);
    DBusError error = DBUS_ERROR_INIT;

    if (notify == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    notify->bus = dbus_bus_get_private(DBUS_BUS_SESSION, &error);
    if (notify->bus == NULL) {
        cvg_fail(ret_why, CVG_ERR_UNREACHABLE, "no session bus: %.300s",
                 error.message != NULL ? error.message : "?");
        dbus_error_free(&error);
        free(notify);
        return CVG_ERR_UNREACHABLE;
    }
    dbus_connection_set_exit_on_disconnect(notify->bus, FALSE);
    *ret_notify = notify;
    return CVG_OK;
}

void cvg_notify_free(struct cvg_notify *notify)
{
    if (notify == NULL)
        return;
    dbus_connection_close(notify->bus);
    dbus_connection_unref(notify->bus);
    free(notify);
}

/* susssasa{sv}i: no actions, urgency critical for none but the sender to decide: the default. */
static bool fill(DBusMessage *message, const struct cvg_notice *notice)
{
    const char *name = "Converge", *icon = "security-high";
    const char *summary = notice->summary, *body = notice->body;
    dbus_uint32_t replaces = 0;
    dbus_int32_t expire_ms = -1;
    DBusMessageIter all, part;

    dbus_message_iter_init_append(message, &all);
    return dbus_message_iter_append_basic(&all, DBUS_TYPE_STRING, &name) &&
           dbus_message_iter_append_basic(&all, DBUS_TYPE_UINT32, &replaces) &&
           dbus_message_iter_append_basic(&all, DBUS_TYPE_STRING, &icon) &&
           dbus_message_iter_append_basic(&all, DBUS_TYPE_STRING, &summary) &&
           dbus_message_iter_append_basic(&all, DBUS_TYPE_STRING, &body) &&
           dbus_message_iter_open_container(&all, DBUS_TYPE_ARRAY, "s", &part) &&
           dbus_message_iter_close_container(&all, &part) &&
           dbus_message_iter_open_container(&all, DBUS_TYPE_ARRAY, "{sv}", &part) &&
           dbus_message_iter_close_container(&all, &part) &&
           dbus_message_iter_append_basic(&all, DBUS_TYPE_INT32, &expire_ms);
}

enum cvg_error cvg_notify_send(struct cvg_notify *notify, const struct cvg_notice *notice,
                               struct cvg_why *ret_why)
{
    DBusMessage *message = dbus_message_new_method_call(SERVICE, OBJECT, SERVICE, "Notify");
    bool sent;

    if (message == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    dbus_message_set_no_reply(message, TRUE);
    sent = fill(message, notice) && dbus_connection_send(notify->bus, message, NULL);
    dbus_message_unref(message);
    if (!sent)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "%s", cvg_strerror(CVG_ERR_NOMEM));
    dbus_connection_flush(notify->bus);
    /* What the bus says is read, and thrown away. */
    while (dbus_connection_read_write(notify->bus, 0)) {
        DBusMessage *told = dbus_connection_pop_message(notify->bus);

        if (told == NULL)
            return CVG_OK;
        dbus_message_unref(told);
    }
    return cvg_fail(ret_why, CVG_ERR_UNREACHABLE, "the session bus is gone");
}

#else

enum cvg_error cvg_notify_new(struct cvg_notify **ret_notify CVG_UNUSED, struct cvg_why *ret_why)
{
    return cvg_fail(ret_why, CVG_ERR_NOT_FOUND, "this converge was built without D-Bus");
}

void cvg_notify_free(struct cvg_notify *notify CVG_UNUSED)
{
}

enum cvg_error cvg_notify_send(struct cvg_notify *notify CVG_UNUSED,
                               const struct cvg_notice *notice CVG_UNUSED, struct cvg_why *ret_why)
{
    return cvg_fail(ret_why, CVG_ERR_NOT_FOUND, "this converge was built without D-Bus");
}

#endif

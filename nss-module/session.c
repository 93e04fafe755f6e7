/* SPDX-License-Identifier: MIT */
/* A growing table of sessions. A handle is a place in it and how many sessions there were before,
 * so that a closed session's handle is not soon another's. */
#include "config.h"

#include "nss-module/session.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "nss-module/surface.h"
#include "nss-module/module.h"
#include "nss-module/slot.h"

#define PLACE_BITS 16
#define FIRST_ROOM 16

enum search { SEARCH_NONE = 0, SEARCH_RUNNING, SEARCH_DONE };

struct session {
    CK_SESSION_HANDLE handle; /* CK_INVALID_HANDLE: the place is free */
    enum search search;
    uint64_t number;        /* of the search */
    CK_OBJECT_HANDLE found; /* and not yet told */
};

static struct {
    struct session *places;
    size_t room, next; /* next: no place before it is free */
    CK_ULONG count;    /* of open sessions */
    CK_ULONG opened;   /* ever, in this process */
    uint64_t searches; /* ever */
} table;

static struct session *find_locked(CK_SESSION_HANDLE handle)
{
    const size_t place = handle & CVG_SESSIONS_MAX;

    if (handle == CK_INVALID_HANDLE || place >= table.room || table.places[place].handle != handle)
        return NULL;
    return &table.places[place];
}

/* Takes the lock and finds the session; on success the caller gives the lock back. */
static CK_RV enter(CK_SESSION_HANDLE handle, struct session **ret_session)
{
    if (!cvg_module_ready())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    cvg_surface_lock();
    *ret_session = find_locked(handle);
    if (*ret_session)
        return CKR_OK;
    cvg_surface_unlock();
    return CKR_SESSION_HANDLE_INVALID;
}

CK_RV cvg_session_check(CK_SESSION_HANDLE handle)
{
    struct session *session;
    CK_RV rv = enter(handle, &session);

    if (rv == CKR_OK)
        cvg_surface_unlock();
    return rv;
}

CK_ULONG cvg_session_count(void)
{
    CK_ULONG count;

    cvg_surface_lock();
    count = table.count;
    cvg_surface_unlock();
    return count;
}

static bool grow_locked(void)
{
    const size_t room = table.room ? table.room * 2 : FIRST_ROOM;
    struct session *places;

    if (room > CVG_SESSIONS_MAX + 1)
        return false;
    places = realloc(table.places, room * sizeof *places);
    if (!places)
        return false;
    memset(places + table.room, 0, (room - table.room) * sizeof *places);
    table.places = places;
    table.room = room;
    return true;
}

static CK_RV open_locked(CK_SESSION_HANDLE *ret_handle)
{
    struct session *session;

    if (!cvg_module_ready()) /* it ended meanwhile */
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (table.count >= CVG_SESSIONS_MAX)
        return CKR_SESSION_COUNT;
    while (table.next < table.room && table.places[table.next].handle != CK_INVALID_HANDLE)
        table.next++;
    if (table.next == table.room && !grow_locked())
        return CKR_HOST_MEMORY;
    session = &table.places[table.next];
    if (++table.opened << PLACE_BITS == 0) /* the count has come round */
        table.opened++;
    *session = (struct session){.handle = table.opened << PLACE_BITS | table.next};
    table.count++;
    *ret_handle = session->handle;
    return CKR_OK;
}

CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR application, CK_NOTIFY notify,
                    CK_SESSION_HANDLE_PTR ret_session)
{
    CK_RV rv = cvg_slot_check(slot);

    (void)application;
    (void)notify;
    if (rv != CKR_OK)
        return rv;
    if (!ret_session)
        return CKR_ARGUMENTS_BAD;
    if (!(flags & CKF_SERIAL_SESSION))
        return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    if (flags & CKF_RW_SESSION)
        return CKR_TOKEN_WRITE_PROTECTED;
    cvg_module_look_again();
    cvg_surface_lock();
    rv = open_locked(ret_session);
    cvg_surface_unlock();
    return rv;
}

static void close_locked(struct session *session)
{
    const size_t place = (size_t)(session - table.places);

    session->handle = CK_INVALID_HANDLE;
    table.count--;
    if (place < table.next)
        table.next = place;
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle)
{
    struct session *session;
    CK_RV rv = enter(handle, &session);

    if (rv != CKR_OK)
        return rv;
    close_locked(session);
    cvg_surface_unlock();
    return CKR_OK;
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot)
{
    CK_RV rv = cvg_slot_check(slot);

    if (rv != CKR_OK)
        return rv;
    cvg_surface_lock();
    for (size_t i = 0; i < table.room; i++)
        if (table.places[i].handle != CK_INVALID_HANDLE)
            close_locked(&table.places[i]);
    cvg_surface_unlock();
    return CKR_OK;
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR ret_info)
{
    CK_RV rv = cvg_session_check(session);

    if (rv != CKR_OK)
        return rv;
    if (!ret_info)
        return CKR_ARGUMENTS_BAD;
    ret_info->slotID = CVG_SLOT;
    ret_info->state = CKS_RO_PUBLIC_SESSION;
    ret_info->flags = CKF_SERIAL_SESSION;
    ret_info->ulDeviceError = 0;
    return CKR_OK;
}

CK_RV cvg_session_search(CK_SESSION_HANDLE handle, uint64_t *ret_search)
{
    struct session *session;
    CK_RV rv = enter(handle, &session);

    if (rv != CKR_OK)
        return rv;
    if (session->search != SEARCH_NONE) {
        rv = CKR_OPERATION_ACTIVE;
    } else {
        session->search = SEARCH_RUNNING;
        session->number = *ret_search = ++table.searches;
    }
    cvg_surface_unlock();
    return rv;
}

CK_RV cvg_session_found(CK_SESSION_HANDLE handle, uint64_t search, CK_OBJECT_HANDLE object)
{
    struct session *session;
    CK_RV rv = enter(handle, &session);

    if (rv != CKR_OK)
        return rv == CKR_SESSION_HANDLE_INVALID ? CKR_SESSION_CLOSED : rv;
    if (session->search == SEARCH_RUNNING && session->number == search) {
        session->search = SEARCH_DONE;
        session->found = object;
    } else {
        rv = CKR_FUNCTION_CANCELED;
    }
    cvg_surface_unlock();
    return rv;
}

CK_RV cvg_session_next(CK_SESSION_HANDLE handle, CK_ULONG room, CK_OBJECT_HANDLE *ret_object)
{
    struct session *session;
    CK_RV rv = enter(handle, &session);

    if (rv != CKR_OK)
        return rv;
    if (session->search != SEARCH_DONE) {
        rv = CKR_OPERATION_NOT_INITIALIZED;
    } else if (room > 0) {
        *ret_object = session->found;
        session->found = CK_INVALID_HANDLE;
    }
    cvg_surface_unlock();
    return rv;
}

CK_RV cvg_session_search_end(CK_SESSION_HANDLE handle)
{
    struct session *session;
    CK_RV rv = enter(handle, &session);

    if (rv != CKR_OK)
        return rv;
    if (session->search == SEARCH_NONE)
        rv = CKR_OPERATION_NOT_INITIALIZED;
    session->search = SEARCH_NONE;
    cvg_surface_unlock();
    return rv;
}

void cvg_session_clear_locked(void)
{
    free(table.places);
    cvg_session_renew_locked();
}

void cvg_session_renew_locked(void)
{
    table.places = NULL;
    table.room = table.next = 0;
    table.count = 0;
}

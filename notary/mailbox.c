/* SPDX-License-Identifier: MIT */
/* How one thread hands work to another thread's loop. */
#include "notary/mailbox.h"

#include <pthread.h>
#include <stdlib.h>

#define BATCH 64 /* letters opened in one turn of the loop */

struct cvg_mailbox {
    uv_async_t wake; /* first: casts */
    pthread_mutex_t lock;
    struct cvg_link letters;
};

/* Takes out the oldest letter; NULL: there is none. */
static struct cvg_letter *next_letter(struct cvg_mailbox *mailbox)
{
    struct cvg_letter *letter = NULL;
    pthread_mutex_lock(&mailbox->lock);
    if (!cvg_list_empty(&mailbox->letters)) {
        letter = CVG_CONTAINER_OF(mailbox->letters.next, struct cvg_letter, link);
        cvg_list_remove(&letter->link);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return letter;
}

void cvg_mailbox_flush(struct cvg_mailbox *mailbox)
{
    struct cvg_letter *letter = NULL;
    while ((letter = next_letter(mailbox)) != NULL)
        letter->open(letter);
}

static void woken(uv_async_t *wake)
{
    struct cvg_mailbox *mailbox = (struct cvg_mailbox *)(void *)wake;
    struct cvg_letter *letter = NULL;
    for (unsigned i = 0; i < BATCH && (letter = next_letter(mailbox)) != NULL; i++)
        letter->open(letter);
    /* The rest comes after the sockets have had their turn. */
    if (letter != NULL)
        uv_async_send(wake);
}

enum cvg_error cvg_mailbox_new(uv_loop_t *loop, struct cvg_mailbox **ret_mailbox)
{
    struct cvg_mailbox *mailbox = calloc(1, sizeof(*mailbox));
    if (mailbox == NULL)
        return CVG_ERR_NOMEM;
    if (uv_async_init(loop, &mailbox->wake, woken) != 0) {
        free(mailbox);
        return CVG_ERR_IO;
    }
    pthread_mutex_init(&mailbox->lock, NULL);
    cvg_list_init(&mailbox->letters);
    *ret_mailbox = mailbox;
    return CVG_OK;
}

static void closed(uv_handle_t *handle)
{
    struct cvg_mailbox *mailbox = (struct cvg_mailbox *)(void *)handle;
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

void cvg_mailbox_free(struct cvg_mailbox *mailbox)
{
    if (mailbox == NULL)
        return;
    cvg_mailbox_flush(mailbox);
    uv_close((uv_handle_t *)&mailbox->wake, closed);
}

void cvg_mailbox_post(struct cvg_mailbox *mailbox, struct cvg_letter *letter)
{
    pthread_mutex_lock(&mailbox->lock);
    cvg_list_push(&mailbox->letters, &letter->link);
    pthread_mutex_unlock(&mailbox->lock);
    uv_async_send(&mailbox->wake);
}

void cvg_mailbox_withdraw(struct cvg_mailbox *mailbox, struct cvg_letter *letter)
{
    pthread_mutex_lock(&mailbox->lock);
    cvg_list_remove(&letter->link);
    pthread_mutex_unlock(&mailbox->lock);
}

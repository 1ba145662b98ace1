/*
 * message.h
 *	  Messages in the language of the session, see message.c.
 */
#ifndef POOL_MESSAGE_H
#define POOL_MESSAGE_H

extern const char *pool_textdomain(void);
extern char *pool_cut(const char *text, int bytes);

/* What ereport() asks for its domain. */
#undef TEXTDOMAIN
#define TEXTDOMAIN pool_textdomain()

/* The translation of a text that ereport() does not look up itself. */
#define pool_text(text) dgettext(TEXTDOMAIN, text)

#endif							/* POOL_MESSAGE_H */

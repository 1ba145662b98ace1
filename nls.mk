# Messages in other languages: po/*.po.  `make update-po` writes po/*.po.new with
# what the source says now; test/t/chinese.pl fails where a text is missing.
CATALOG_NAME = pool_ext
AVAIL_LANGUAGES = $(shell cat $(srcdir)/po/LINGUAS)
GETTEXT_FILES = $(OBJS:.o=.c)
GETTEXT_TRIGGERS = $(BACKEND_COMMON_GETTEXT_TRIGGERS) pool_text gettext_noop
GETTEXT_FLAGS = $(BACKEND_COMMON_GETTEXT_FLAGS) pool_text:1:pass-c-format

# Lines of the source would change the catalog at each change of the source.
MSGMERGE += --no-location

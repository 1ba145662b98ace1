EXTENSION = pool_ext
EXTVERSION = 0.1.0
MODULE_big = pool_ext
PGFILEDESC = "pool_ext - public lead pools inside PostgreSQL"

# One object per room, see src/README.md.
OBJS = \
	src/access.o \
	src/again.o \
	src/analyse.o \
	src/approval.o \
	src/approval_row.o \
	src/assign.o \
	src/assign_entry.o \
	src/attach.o \
	src/attach_edit.o \
	src/attach_fit.o \
	src/attach_note.o \
	src/attach_row.o \
	src/attach_trigger.o \
	src/attach_verify.o \
	src/attach_write.o \
	src/attempt.o \
	src/auto_assign.o \
	src/batch.o \
	src/brake.o \
	src/bulk.o \
	src/catalog.o \
	src/claim.o \
	src/claim_test.o \
	src/clock.o \
	src/close.o \
	src/collaborator.o \
	src/comments.o \
	src/config.o \
	src/config_check.o \
	src/config_check_timer.o \
	src/config_constraint.o \
	src/config_member.o \
	src/config_merge.o \
	src/config_read.o \
	src/config_row.o \
	src/config_rule.o \
	src/config_timer.o \
	src/config_trigger.o \
	src/constraint.o \
	src/cooldown.o \
	src/data.o \
	src/decide.o \
	src/downtime.o \
	src/due.o \
	src/edit.o \
	src/effect.o \
	src/entry.o \
	src/entry_rule.o \
	src/erase.o \
	src/event.o \
	src/explain_claim.o \
	src/fact.o \
	src/follow_up.o \
	src/grant.o \
	src/group.o \
	src/guard.o \
	src/guc.o \
	src/hide.o \
	src/hint_shmem.o \
	src/history.o \
	src/id_set.o \
	src/identity.o \
	src/index_entry.o \
	src/installation.o \
	src/intake.o \
	src/job.o \
	src/judge.o \
	src/launcher.o \
	src/lead.o \
	src/lead_row.o \
	src/lease.o \
	src/load.o \
	src/lock.o \
	src/match.o \
	src/member_fact.o \
	src/merge.o \
	src/message.o \
	src/normalise.o \
	src/offboard.o \
	src/people.o \
	src/perform.o \
	src/physical.o \
	src/place.o \
	src/plan.o \
	src/plan_run.o \
	src/poll.o \
	src/pool_ext.o \
	src/priority.o \
	src/propose.o \
	src/quarantine.o \
	src/queue.o \
	src/queue_answer.o \
	src/queue_check.o \
	src/queue_holder.o \
	src/queue_prepared.o \
	src/queue_refill.o \
	src/queue_slot.o \
	src/quota.o \
	src/quota_limit.o \
	src/quota_place.o \
	src/quota_row.o \
	src/receiver.o \
	src/recheck.o \
	src/release.o \
	src/request.o \
	src/reserve.o \
	src/resolve.o \
	src/result.o \
	src/reveal.o \
	src/review.o \
	src/reward.o \
	src/rollup.o \
	src/room.o \
	src/route.o \
	src/route_entry.o \
	src/route_rule.o \
	src/route_test.o \
	src/route_write.o \
	src/routing_retry.o \
	src/routing_wait.o \
	src/rule.o \
	src/rule_report.o \
	src/rule_version.o \
	src/run.o \
	src/run_lead.o \
	src/score.o \
	src/search.o \
	src/search_term.o \
	src/settle.o \
	src/shown.o \
	src/snapshot.o \
	src/sql.o \
	src/strategy.o \
	src/table.o \
	src/tail.o \
	src/tally.o \
	src/take_over.o \
	src/team.o \
	src/term.o \
	src/tick.o \
	src/timer.o \
	src/timer_act.o \
	src/timer_approval.o \
	src/timer_view.o \
	src/trigger.o \
	src/turn.o \
	src/turn_row.o \
	src/undo.o \
	src/verdict.o \
	src/verify.o \
	src/visible.o \
	src/wake.o \
	src/worker.o \
	src/worker_database.o \
	src/worker_setting.o \
	src/worker_slot.o \
	src/worker_status.o \
	src/worktime.o

# Joined in this order: later modules use what earlier ones create.
SQL_MODULES = \
	sql/install/tables.sql \
	sql/install/rules.sql \
	sql/install/functions.sql \
	sql/install/worker.sql \
	sql/install/rollup.sql \
	sql/install/rollup_comments.sql \
	sql/install/rollup_total.sql \
	sql/install/rollup_total_comments.sql \
	sql/install/views.sql \
	sql/install/lead_views.sql \
	sql/install/stat_views.sql \
	sql/install/stat_member_views.sql \
	sql/install/timers.sql \
	sql/install/hide.sql \
	sql/install/lease.sql \
	sql/install/approval.sql \
	sql/install/lead_event.sql \
	sql/install/entry.sql \
	sql/install/outside.sql \
	sql/install/reveal.sql \
	sql/install/search.sql \
	sql/install/reward.sql \
	sql/install/people.sql \
	sql/install/routing.sql \
	sql/install/verify.sql \
	sql/install/verify_lead.sql \
	sql/install/verify_history.sql \
	sql/install/guard.sql \
	sql/install/config_triggers.sql \
	sql/install/rule_version.sql \
	sql/install/runs.sql \
	sql/install/analysis.sql \
	sql/install/analysis_rules.sql \
	sql/install/analysis_people.sql \
	sql/install/rule_views.sql \
	sql/install/lint.sql \
	sql/install/attach.sql \
	sql/install/comments.sql \
	sql/install/rules_comments.sql \
	sql/install/constraint_comments.sql \
	sql/install/language.sql \
	sql/install/dump.sql \
	sql/install/grants.sql

# Scripts of the versions that were released, and from each to the next: see
# sql/update/README.md.
UPDATE_SCRIPTS =
DATA = $(addprefix sql/update/,$(UPDATE_SCRIPTS))

EXTENSION_SCRIPT = $(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(EXTENSION_SCRIPT) $(COMMENTS)

# The comments of the script in each language, for pool.apply_comments().
# Without perl there are none.
ifneq (,$(shell command -v perl))
COMMENTS = $(EXTENSION).comments.en.sql $(EXTENSION).comments.zh_CN.sql
endif

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -fvisibility=hidden -MMD -MP \
	-Werror=implicit-function-declaration
EXTRA_CLEAN = $(OBJS:.o=.d) $(OBJS:.o=.gcda) $(OBJS:.o=.gcno)

# Random delays at locks, scans, commits and starts of workers: for tests.
ifdef DELAYS
OBJS += test/delays.o
DELAYED = pool_table_lock pool_table_update pool_table_try_update \
	index_getnext_slot index_getnext_tid LWLockAcquire \
	RegisterXactCallback BackgroundWorkerInitializeConnectionByOid
PG_LDFLAGS += $(DELAYED:%=-Wl,--wrap=%)
endif

# Counts of the lines and branches that run: for scripts/coverage.
ifdef COVERAGE
PG_CFLAGS += --coverage -O0
SHLIB_LINK += --coverage
override with_llvm = no
endif

REGRESS = $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql))
ISOLATION = $(patsubst test/isolation/specs/%.spec,%, \
	$(wildcard test/isolation/specs/*.spec))
REGRESS_OPTS = --inputdir=test --load-extension=pool_ext
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=pool_ext

# PGXS would run all tests in one database; each of ours wants its own.
NO_INSTALLCHECK = 1

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)

# Bitcode only serves JIT; do without it where the server's clang is missing.
LLVM_CLANG := $(shell sed -n 's/^CLANG = *//p' \
	"$(dir $(PGXS))../Makefile.global" 2>/dev/null)
ifeq (,$(and $(LLVM_CLANG),$(shell command -v $(LLVM_CLANG))))
override with_llvm = no
endif

# Without msgfmt, messages stay English.
ifeq (,$(shell command -v msgfmt))
override enable_nls = no
endif

# The server's flags were chosen for the compiler it was built with.
ifneq (,$(findstring clang,$(CC)))
PG_CFLAGS += -Wno-unknown-warning-option \
	-Wno-ignored-optimization-argument -Wno-ignored-attributes
endif

include $(PGXS)

# Where the server is not installed yet: `make test` does so.
srcdir ?= .

$(EXTENSION_SCRIPT): $(addprefix $(srcdir)/,$(SQL_MODULES)) Makefile
	cat $(filter %.sql,$^) > $@.tmp && mv $@.tmp $@

$(EXTENSION).comments.en.sql: $(EXTENSION_SCRIPT) $(srcdir)/scripts/comments
	perl $(srcdir)/scripts/comments $< > $@.tmp && mv $@.tmp $@

$(EXTENSION).comments.%.sql: $(EXTENSION_SCRIPT) $(srcdir)/sql/comments/%.po \
		$(srcdir)/scripts/comments
	perl $(srcdir)/scripts/comments $(wordlist 1,2,$^) > $@.tmp && mv $@.tmp $@

# A bitcode file has the same dependencies as its object.
$(OBJS:.o=.bc): %.bc: %.o
-include $(OBJS:.o=.d)

installcheck:
	$(foreach t,$(REGRESS),$(pg_regress_installcheck) $(REGRESS_OPTS) \
		--dbname=regression_$(t) $(t) &&) true
	$(foreach t,$(ISOLATION),$(pg_isolation_regress_installcheck) \
		$(ISOLATION_OPTS) --dbname=isolation_$(t) $(t) &&) true

test:
	@$(srcdir)/scripts/test

bench:
	@$(srcdir)/scripts/bench $(PARTS)

soak:
	@$(srcdir)/scripts/soak

coverage:
	@$(srcdir)/scripts/coverage

lint:
	@$(srcdir)/scripts/lint

format:
	@$(srcdir)/scripts/format

format-check:
	@$(srcdir)/scripts/format --check

typedefs:
	@$(srcdir)/scripts/format --typedefs

# What is committed, as PGXN takes it: META.json names the same version.
RELEASE = $(EXTENSION)-$(EXTVERSION)

dist:
	git archive --format=zip --prefix=$(RELEASE)/ --output=$(RELEASE).zip HEAD

.PHONY: test bench soak coverage lint format format-check typedefs dist

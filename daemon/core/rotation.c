// SPDX-License-Identifier: GPL-2.0-only
#include <strings.h>
#include <time.h>

#include "core/audit.h"
#include "core/head.h"
#include "core/rotation.h"
#include "util/json.h"

#define EXPIRY_MIN	28	/* days */
#define MARGIN		7	/* days after the making, and before the expiry */
#define YEARS_MAX	100

bool kvd_period_parse(const char *text, struct kvd_period *ret)
{
	static const char units[] = "YMD";
	struct kvd_period p = { 0 };
	uint32_t *const fields[] = { &p.years, &p.months, &p.days };
	size_t at = 0;

	if (*text++ != 'P' || !*text)
		return false;
	while (*text) {
		unsigned long n;
		char *end;

		if (*text < '0' || *text > '9')
			return false;
		n = strtoul(text, &end, 10);
		while (units[at] && units[at] != *end)
			at++;
		if (!units[at] || n > YEARS_MAX * 366ul)
			return false;
		*fields[at++] = (uint32_t)n;
		text = end + 1;
	}
	if (kvd_period_days(&p) > YEARS_MAX * 366u)
		return false;
	*ret = p;
	return true;
}

uint32_t kvd_period_days(const struct kvd_period *p)
{
	return p->years * 365 + p->months * 30 + p->days;
}

int64_t kvd_period_add(int64_t t, const struct kvd_period *p, int sign)
{
	time_t at = (time_t)t;
	struct tm tm;

	gmtime_r(&at, &tm);
	tm.tm_year += sign * (int)p->years;
	tm.tm_mon += sign * (int)p->months;
	tm.tm_mday += sign * (int)p->days;
	return (int64_t)timegm(&tm);
}

static int refuse(struct kvd_why *why, const char *text)
{
	return kvd_refuse(why, KVD_E_BAD_PARAMETER, "%s", text);
}

static int take_period(const json_t *j, const char *name, struct kvd_period *ret, bool *ret_is_set,
		       struct kvd_why *why)
{
	const char *text = NULL;
	int r;

	r = kvd_json_str(j, name, &text, why);
	if (r || !text)
		return r;
	if (!kvd_period_parse(text, ret))
		return kvd_refuse(why, KVD_E_BAD_PARAMETER,
				  "'%s' is no period of the form P1Y, P18M or P30D", name);
	*ret_is_set = true;
	return 0;
}

static int take_trigger(const json_t *j, struct kvd_trigger *t, struct kvd_why *why)
{
	static const char *const known[] = { "timeAfterCreate", "timeBeforeExpiry", NULL };
	bool after = false, before = false;
	int r;

	if (!json_is_object(j))
		return refuse(why, "An action has a 'trigger'");
	r = kvd_json_only(j, known, "trigger", why);
	if (!r)
		r = take_period(j, known[0], &t->period, &after, why);
	if (!r)
		r = take_period(j, known[1], &t->period, &before, why);
	if (r)
		return r;
	if (after == before)
		return refuse(why, "A trigger has one of 'timeAfterCreate' and 'timeBeforeExpiry'");
	t->is_set = true;
	t->is_before_expiry = before;
	return 0;
}

static int take_action(const json_t *j, struct kvd_policy *p, struct kvd_why *why)
{
	static const char *const known[] = { "trigger", "action", NULL };
	static const char *const of_action[] = { "type", NULL };
	const json_t *action = json_object_get(j, "action");
	struct kvd_trigger *t;
	const char *type = NULL;
	int r;

	if (!json_is_object(j) || !json_is_object(action))
		return refuse(why, "'lifetimeActions' has objects with 'trigger' and 'action'");
	r = kvd_json_only(j, known, "lifetimeActions", why);
	if (!r)
		r = kvd_json_only(action, of_action, "action", why);
	if (!r)
		r = kvd_json_str(action, "type", &type, why);
	if (r)
		return r;
	if (!type || (strcasecmp(type, "Rotate") && strcasecmp(type, "Notify")))
		return refuse(why, "The 'type' of an action is Rotate or Notify");
	t = strcasecmp(type, "Rotate") ? &p->notify : &p->rotate;
	if (t->is_set)
		return refuse(why, "There is at most one Rotate and one Notify");
	return take_trigger(json_object_get(j, "trigger"), t, why);
}

/* From the making of a version on, in days; life is 0 when it does not expire. */
static int check_trigger(const struct kvd_trigger *t, uint32_t life, uint32_t margin,
			 struct kvd_why *why)
{
	uint32_t days = kvd_period_days(&t->period);

	if (!t->is_set)
		return 0;
	if (days < margin)
		return refuse(why, "A rotation is 7 days or more from the making and the expiry");
	if (t->is_before_expiry && !life)
		return refuse(why, "'timeBeforeExpiry' needs 'expiryTime', or a key that expires");
	if (life && days + margin > life)
		return refuse(why, "A trigger is outside of the life of a version");
	return 0;
}

static int check(const struct kvd_policy *p, uint64_t exp, struct kvd_why *why)
{
	uint32_t life = p->has_expiry ? kvd_period_days(&p->expiry) : 0;
	int r;

	if (p->has_expiry && life < EXPIRY_MIN)
		return refuse(why, "'expiryTime' is 28 days or more");
	/* What expires at a date of its own has room enough, as far as anybody knows. */
	if (!life && exp)
		life = YEARS_MAX * 366;
	r = check_trigger(&p->rotate, life, MARGIN, why);
	return r ? r : check_trigger(&p->notify, life ? life : YEARS_MAX * 366, 0, why);
}

int kvd_policy_parse(const json_t *j, uint64_t exp, struct kvd_policy *ret, struct kvd_why *why)
{
	/* What was given out may be sent back as it is. */
	static const char *const known[] = { "id", "lifetimeActions", "attributes", "next", NULL };
	static const char *const of_attributes[] = { "expiryTime", "created", "updated", NULL };
	const json_t *list = json_object_get(j, "lifetimeActions");
	struct kvd_policy p = { 0 };
	json_t *attributes = NULL;
	size_t i;
	int r;

	r = kvd_json_only(j, known, "the policy", why);
	if (!r)
		r = kvd_json_obj(j, "attributes", &attributes, why);
	if (!r && attributes)
		r = kvd_json_only(attributes, of_attributes, "attributes", why);
	if (!r && attributes)
		r = take_period(attributes, "expiryTime", &p.expiry, &p.has_expiry, why);
	if (!r && list && !json_is_null(list) && !json_is_array(list))
		r = refuse(why, "'lifetimeActions' is no list");
	for (i = 0; !r && i < json_array_size(list); i++)
		r = take_action(json_array_get(list, i), &p, why);
	if (!r)
		r = check(&p, exp, why);
	if (!r)
		*ret = p;
	return r;
}

static json_t *period_json(const struct kvd_period *p)
{
	char text[48];
	size_t n = 1;

	text[0] = 'P';
	if (p->years)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%uY", p->years);
	if (p->months)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%uM", p->months);
	if (p->days || n == 1)
		snprintf(text + n, sizeof(text) - n, "%uD", p->days);
	else
		text[n] = '\0';
	return json_string(text);
}

static int add_action(json_t *list, const struct kvd_trigger *t, const char *type)
{
	const char *when = t->is_before_expiry ? "timeBeforeExpiry" : "timeAfterCreate";

	if (!t->is_set)
		return 0;
	return json_array_append_new(list, json_pack("{s:{s:o}, s:{s:s}}", "trigger", when,
						     period_json(&t->period), "action", "type",
						     type));
}

json_t *kvd_policy_json(const struct kvd_policy *p)
{
	_cleanup_json_ json_t *list = json_array(), *attributes = json_object();

	if (!list || !attributes || add_action(list, &p->rotate, "Rotate") ||
	    add_action(list, &p->notify, "Notify") ||
	    (p->has_expiry &&
	     json_object_set_new(attributes, "expiryTime", period_json(&p->expiry))))
		return NULL;
	return json_pack("{s:O, s:O}", "lifetimeActions", list, "attributes", attributes);
}

bool kvd_policy_is_empty(const struct kvd_policy *p)
{
	return !p->rotate.is_set && !p->notify.is_set && !p->has_expiry;
}

static int64_t due(const struct kvd_trigger *t, const struct kvd_version *v)
{
	if (!t->is_set)
		return 0;
	if (!t->is_before_expiry)
		return kvd_period_add(v->created, &t->period, 1);
	return v->exp ? kvd_period_add((int64_t)v->exp, &t->period, -1) : 0;
}

int64_t kvd_policy_rotate_at(const struct kvd_policy *p, const struct kvd_version *v)
{
	return due(&p->rotate, v);
}

int64_t kvd_policy_notify_at(const struct kvd_policy *p, const struct kvd_version *v)
{
	return due(&p->notify, v);
}

int kvd_rotation_get(struct kvd_store *st, const uint8_t *tenant, const struct kvd_id *object,
		     struct kvd_policy *ret)
{
	_cleanup_(kvd_rotation_done) struct kvd_rotation row = { 0 };
	_cleanup_json_ json_t *j = NULL;
	int r;

	r = kvd_store_rotation_get(st, tenant, object, &row);
	if (r)
		return r;
	j = json_loads(row.json, 0, NULL);
	/* It was checked when it was set; exp may have been taken away since. */
	return j ? kvd_policy_parse(j, 1, ret, NULL) ? -EUCLEAN : 0 : -EUCLEAN;
}

int kvd_rotation_plan(struct kvd_store *st, const uint8_t *tenant, const struct kvd_version *v)
{
	struct kvd_policy p = { 0 };
	int r;

	if (v->type != KVAULT_TYPE_KEY)
		return 0;
	r = kvd_rotation_get(st, tenant, &v->object, &p);
	if (r)
		return r == KVD_E_NOT_FOUND ? 0 : r;
	return kvd_store_rotation_set_due(st, tenant, &v->object, kvd_policy_rotate_at(&p, v),
					  kvd_policy_notify_at(&p, v));
}

/* Into the log, and with it into the journal: that is where it is waited for. */
static int tell(struct kvd_context *ctx, struct kvd_store *st, const uint8_t *tenant,
		const struct kvd_version *v)
{
	bool is_over = v->exp && (int64_t)v->exp <= ctx->now;
	char object[KVD_OBJECT_ADDRESS_MAX];
	struct kvd_event ev = {
		.operation = is_over ? "KeyExpiredEventGridNotification" :
				       "KeyNearExpiryEventGridNotification",
		.object = object,
		.face = "timer",
		.result = "Success",
		.signature = "OK",
	};
	_cleanup_json_ json_t *more = NULL;

	more = v->exp ? json_pack("{s:I}", "exp", (json_int_t)v->exp) : json_object();
	if (!more)
		return -ENOMEM;
	ev.more = more;
	kvd_audit_object(object, v);
	return kvd_audit_append(ctx, st, tenant, &ev);
}

/*
 * Says when the next one is due, whatever comes of this one. A key that is
 * disabled stays so: a new version would be enabled. It is reckoned anew when
 * somebody enables it.
 */
static int settle(struct kvd_context *ctx, struct kvd_store *st, const struct kvd_id *tenant,
		  const struct kvd_version *v, bool *ret_rotate)
{
	int64_t retry = ctx->now + KVD_ROTATION_RETRY_S;
	bool is_enabled = v->flags & KVAULT_KEY_ENABLED;
	_cleanup_(kvd_rotation_done) struct kvd_rotation row = { 0 };
	int r;

#ifdef KVAULT_MUTANT_ROTATE_DISABLED
	is_enabled = true;
#endif
	*ret_rotate = false;
	r = kvd_store_rotation_get(st, tenant->b, &v->object, &row);
	if (r)
		return r;
	/* Nothing is added to a log that does not check. */
	if (kvd_head_broken(ctx, tenant->b))
		return kvd_store_rotation_set_due(st, tenant->b, &v->object,
						  row.rotate ? retry : 0, row.notify ? retry : 0);
	if (row.notify && row.notify <= ctx->now) {
		row.notify = 0;
		r = tell(ctx, st, tenant->b, v);
	}
	if (row.rotate && row.rotate <= ctx->now) {
		*ret_rotate = is_enabled;
		row.rotate = is_enabled ? retry : 0;
	}
	return r ? r : kvd_store_rotation_set_due(st, tenant->b, &v->object, row.rotate,
						  row.notify);
}

int kvd_rotation_next(struct kvd_context *ctx, struct kvd_store *st, struct kvd_id *ret_tenant,
		      struct kvd_version *ret, bool *ret_rotate)
{
	_cleanup_version_ struct kvd_version v = { 0 };
	struct kvd_id tenant;
	int r;

	r = kvd_store_rotation_overdue(st, ctx->now, &tenant, &v);
	if (!r)
		r = settle(ctx, st, &tenant, &v, ret_rotate);
	if (r)
		return r;
	*ret_tenant = tenant;
	*ret = v;
	memset(&v, 0, sizeof(v));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "link.h"

#define NETLINK_TIMEOUT_S	5	/* OBJECT_SET's answer comes when I/O in flight has ended */

struct kvd_link {
	int fd;
	struct nl_sock *nl;
	int family;
	uint8_t nonce[KVAULT_ID_SIZE];
	struct kvd_kernel kernel;
};

/* --- netlink ------------------------------------------------------------------ */

struct call {
	int (*fn)(struct nlattr **attrs, void *data);
	void *data;
	uint32_t seq;
	bool is_answered_later;		/* the acknowledgement is not the end */
	int result;			/* 1: not answered yet */
	char text[160];			/* the kernel's explanation */
};

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[KVAULT_A_MAX + 1];
	struct call *call = arg;
	int r;

	/* After a time-out an old answer may still come: by its number it is not ours. */
	if (nlmsg_hdr(msg)->nlmsg_seq != call->seq)
		return NL_SKIP;
	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, KVAULT_A_MAX, NULL) < 0)
		call->result = -EBADMSG;
	else if (call->fn) {
		r = call->fn(attrs, call->data);
		if (r < 0 || call->is_answered_later)
			call->result = r < 0 ? r : 0;
	}
	return NL_OK;
}

/* NLMSGERR_ATTR_MSG follows the header of our own message, cut by the kernel. */
static void take_text(const struct nlmsgerr *err, struct call *call)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)((const char *)err - NLMSG_HDRLEN);
	const struct nlattr *a;
	uint64_t used = sizeof(*err), len = nlh->nlmsg_len - NLMSG_HDRLEN;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED)) {
		if (err->msg.nlmsg_len < NLMSG_HDRLEN)
			return;
		used = NLMSG_ALIGN(used + err->msg.nlmsg_len - NLMSG_HDRLEN);
	}
	if (used >= len)
		return;
	a = nla_find((const struct nlattr *)((const char *)err + used), (int)(len - used),
		     NLMSGERR_ATTR_MSG);
	if (a)
		snprintf(call->text, sizeof(call->text), "%.*s", nla_len(a),
			 (const char *)nla_data(a));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
	struct call *call = arg;

	(void)from;
	if (err->msg.nlmsg_seq != call->seq)
		return NL_SKIP;
	call->result = err->error ? err->error : -EPROTO;
	take_text(err, call);
	return NL_STOP;
}

static int on_done(struct nl_msg *msg, void *arg)
{
	struct call *call = arg;
	const int *err = nlmsg_data(nlmsg_hdr(msg));

	if (nlmsg_hdr(msg)->nlmsg_seq != call->seq || call->is_answered_later)
		return NL_SKIP;
	/* A dump that failed says so in its last message. */
	if (call->result == 1)
		call->result = nlmsg_hdr(msg)->nlmsg_type == NLMSG_DONE &&
			       nlmsg_datalen(nlmsg_hdr(msg)) >= (int)sizeof(*err) && *err < 0 ?
			       *err : 0;
	return NL_STOP;
}

/* libnl's own check does not get over an answer that was not waited for. */
static int on_seq(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static struct nl_msg *request(struct kvd_link *link, uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, link->family, 0,
				NLM_F_REQUEST | flags, cmd, KVAULT_FAMILY_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Sends msg, which it frees, and waits for all of the answer. */
static int transact(struct kvd_link *link, struct nl_msg *msg, struct call *call)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int r;

	if (!msg || !cb) {
		nlmsg_free(msg);
		nl_cb_put(cb);
		return -ENOMEM;
	}
	call->result = 1;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, call);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_done, call);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_done, call);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, call);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_seq, NULL);
	r = nl_send_auto(link->nl, msg);
	call->seq = nlmsg_hdr(msg)->nlmsg_seq;
	nlmsg_free(msg);
	while (r >= 0 && call->result == 1)
		r = nl_recvmsgs(link->nl, cb);
	nl_cb_put(cb);
	if (r == -NLE_AGAIN)
		return -ETIMEDOUT;
	if (r < 0 && call->result == 1)
		return -EIO;
	return call->result < 0 ? call->result : 0;
}

static int put_id(struct nl_msg *msg, int attr, const uint8_t *id)
{
	return nla_put(msg, attr, KVAULT_ID_SIZE, id);
}

static int simple(struct kvd_link *link, struct nl_msg *msg, struct call *call, int put)
{
	if (msg && put < 0) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return transact(link, msg, call);
}

static int take_has_root(struct nlattr **attrs, void *data)
{
	bool *has_root = data;

	*has_root = attrs[KVAULT_A_HAS_ROOT] && nla_len(attrs[KVAULT_A_HAS_ROOT]) == 4 &&
		    nla_get_u32(attrs[KVAULT_A_HAS_ROOT]);
	return 0;
}

int kvd_link_hello(struct kvd_link *link, const struct kvd_meta *meta, bool *ret_has_root,
		   struct kvd_why *why)
{
	struct call call = { .fn = take_has_root, .data = ret_has_root };
	struct nl_msg *msg = request(link, KVAULT_CMD_HELLO, NLM_F_ACK);
	int r = 0;

	if (msg) {
		r |= put_id(msg, KVAULT_A_NONCE, link->nonce);
		r |= nla_put_u32(msg, KVAULT_A_ABI, KVAULT_ABI);
		r |= nla_put_u32(msg, KVAULT_A_ABI_MIN, KVAULT_ABI_MIN);
		r |= put_id(msg, KVAULT_A_STORE, meta->store.b);
		r |= put_id(msg, KVAULT_A_TENANT, meta->host.b);
		r |= nla_put_u64(msg, KVAULT_A_EPOCH, meta->epoch);
		r |= nla_put_u64(msg, KVAULT_A_REVISION, meta->revision);
	}
	r = simple(link, msg, &call, r);
	if (r == -EHOSTDOWN)
		kvd_refuse(why, r, "Sealed: the kernel has no root key. See 'systemctl status "
			   "kvault-root'");
	else if (r < 0)
		kvd_refuse(why, r, "The module refuses this daemon: %s",
			   call.text[0] ? call.text : strerror(-r));
	return r;
}

int kvd_link_bye(struct kvd_link *link)
{
	struct call call = { 0 };

	return transact(link, request(link, KVAULT_CMD_BYE, NLM_F_ACK), &call);
}

int kvd_link_audit_ack(struct kvd_link *link, const uint8_t *tenant, uint64_t seq)
{
	struct nl_msg *msg = request(link, KVAULT_CMD_AUDIT_ACK, NLM_F_ACK);
	struct call call = { 0 };
	int r = 0;

	if (msg)
		r = put_id(msg, KVAULT_A_TENANT, tenant) | nla_put_u64(msg, KVAULT_A_SEQ, seq);
	return simple(link, msg, &call, r);
}

static int policy_set(void *data, const uint8_t *tenant, uint64_t revision)
{
	struct kvd_link *link = data;
	struct nl_msg *msg = request(link, KVAULT_CMD_POLICY_SET, NLM_F_ACK);
	struct call call = { 0 };
	int r = 0;

	if (msg)
		r = put_id(msg, KVAULT_A_TENANT, tenant) |
		    nla_put_u64(msg, KVAULT_A_REVISION, revision);
	return simple(link, msg, &call, r);
}

static bool has_len(struct nlattr **attrs, int attr, int len)
{
	return attrs[attr] && nla_len(attrs[attr]) == len;
}

static int take_count(struct nlattr **attrs, void *data)
{
	if (!has_len(attrs, KVAULT_A_COUNT, 4) || !has_len(attrs, KVAULT_A_ERROR, 4))
		return -EBADMSG;
	if (nla_get_u32(attrs[KVAULT_A_ERROR]))
		return -(int)(nla_get_u32(attrs[KVAULT_A_ERROR]) & 4095);
	*(int *)data = (int)(nla_get_u32(attrs[KVAULT_A_COUNT]) & INT32_MAX);
	return 0;
}

/* Acknowledged at once, and answered when it is done. */
static int object_set(void *data, const uint8_t *tenant, const uint8_t *key,
		      const uint8_t *version, uint64_t revision, uint32_t state)
{
	struct kvd_link *link = data;
	struct nl_msg *msg = request(link, KVAULT_CMD_OBJECT_SET, NLM_F_ACK);
	int count = 0, r = 0;
	struct call call = { .fn = take_count, .data = &count, .is_answered_later = true };

	if (msg) {
		r |= put_id(msg, KVAULT_A_TENANT, tenant);
		r |= put_id(msg, KVAULT_A_KEY, key);
		if (version)
			r |= put_id(msg, KVAULT_A_VERSION, version);
		r |= nla_put_u64(msg, KVAULT_A_REVISION, revision);
		r |= nla_put_u32(msg, KVAULT_A_STATE, state);
	}
	r = simple(link, msg, &call, r);
	return r < 0 ? r : count;
}

struct dump {
	int (*tenant)(const struct kvd_kernel_tenant *t, void *data);
	int (*engine)(const struct kvd_kernel_engine *e, void *data);
	void *data;
};

static int take_tenant(struct nlattr **a, void *data)
{
	struct kvd_kernel_tenant t = { 0 };
	struct dump *dump = data;

	if (!has_len(a, KVAULT_A_TENANT, KVAULT_ID_SIZE) || !has_len(a, KVAULT_A_KIND, 4) ||
	    !has_len(a, KVAULT_A_GENERATION, 8) || !has_len(a, KVAULT_A_REVISION, 8))
		return -EBADMSG;
	memcpy(t.id, nla_data(a[KVAULT_A_TENANT]), sizeof(t.id));
	t.kind = nla_get_u32(a[KVAULT_A_KIND]);
	t.generation = nla_get_u64(a[KVAULT_A_GENERATION]);
	t.revision = nla_get_u64(a[KVAULT_A_REVISION]);
	if (has_len(a, KVAULT_A_UID, 4))
		t.uid = nla_get_u32(a[KVAULT_A_UID]);
	if (has_len(a, KVAULT_A_COUNT, 4))
		t.objects = nla_get_u32(a[KVAULT_A_COUNT]);
	return dump->tenant(&t, dump->data);
}

static int take_engine(struct nlattr **a, void *data)
{
	struct kvd_kernel_engine e = { 0 };
	struct dump *dump = data;

	if (!has_len(a, KVAULT_A_KIND, 4) || !has_len(a, KVAULT_A_TENANT, KVAULT_ID_SIZE) ||
	    !has_len(a, KVAULT_A_PID, 4))
		return -EBADMSG;
	e.kind = nla_get_u32(a[KVAULT_A_KIND]);
	memcpy(e.tenant, nla_data(a[KVAULT_A_TENANT]), sizeof(e.tenant));
	e.pid = nla_get_u32(a[KVAULT_A_PID]);
	if (has_len(a, KVAULT_A_GENERATION, 8))
		e.generation = nla_get_u64(a[KVAULT_A_GENERATION]);
	if (has_len(a, KVAULT_A_COUNT, 4))
		e.served = nla_get_u32(a[KVAULT_A_COUNT]);
	return dump->engine(&e, dump->data);
}

static int tenants(void *data, int (*fn)(const struct kvd_kernel_tenant *t, void *udata),
		   void *udata)
{
	struct dump dump = { .tenant = fn, .data = udata };
	struct call call = { .fn = take_tenant, .data = &dump };

	return transact(data, request(data, KVAULT_CMD_TENANT_GET, NLM_F_DUMP), &call);
}

static int engines(void *data, int (*fn)(const struct kvd_kernel_engine *e, void *udata),
		   void *udata)
{
	struct dump dump = { .engine = fn, .data = udata };
	struct call call = { .fn = take_engine, .data = &dump };

	return transact(data, request(data, KVAULT_CMD_ENGINE_GET, NLM_F_DUMP), &call);
}

/* --- the device ----------------------------------------------------------------- */

static int control(struct kvd_link *link, unsigned long cmd, void *arg)
{
	int r;

	do {
		r = ioctl(link->fd, cmd, arg);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int kvd_link_claim(struct kvd_link *link, uint64_t *ret_generation, struct kvd_why *why)
{
	struct kvault_claim arg = { .size = sizeof(arg) };
	int r;

	r = control(link, KVAULT_CTL_CLAIM, &arg);
	if (r == -EBUSY)
		return kvd_refuse(why, r, "Another kvaultd serves this machine");
	if (r < 0)
		return kvd_refuse(why, r, "The module cannot be claimed: %s", strerror(-r));
	memcpy(link->nonce, arg.nonce, sizeof(link->nonce));
	*ret_generation = arg.generation;
	return 0;
}

int kvd_link_fd(const struct kvd_link *link)
{
	return link->fd;
}

ssize_t kvd_link_next(struct kvd_link *link, uint8_t *buf)
{
	struct kvault_exchange arg = { .size = sizeof(arg), .next = (uintptr_t)buf,
				       .next_len = KVAULT_MSG_MAX };
	int r;

	r = control(link, KVAULT_CTL_EXCHANGE, &arg);
	if (r < 0)
		return r;
	return arg.next_len <= KVAULT_MSG_MAX ? (ssize_t)arg.next_len : -EBADMSG;
}

int kvd_link_reply(struct kvd_link *link, const void *msg, size_t len)
{
	struct kvault_exchange arg = { .size = sizeof(arg), .reply = (uintptr_t)msg,
				       .reply_len = (uint32_t)len };

	return control(link, KVAULT_CTL_EXCHANGE, &arg);
}

ssize_t kvd_link_audit(struct kvd_link *link, void *buf, size_t size, bool *ret_more)
{
	struct kvault_audit_read arg = { .size = sizeof(arg), .buf = (uintptr_t)buf,
					 .len = (uint32_t)size };
	int r;

	r = control(link, KVAULT_CTL_AUDIT_READ, &arg);
	if (r < 0)
		return r;
	*ret_more = arg.more;
	return arg.len <= size ? (ssize_t)arg.len : -EBADMSG;
}

static int seal(void *data, struct kvault_seal *arg)
{
	arg->size = sizeof(*arg);
	return control(data, KVAULT_CTL_SEAL, arg);
}

static int submit(void *data, struct kvault_submit *arg)
{
	arg->size = sizeof(*arg);
	return control(data, KVAULT_CTL_SUBMIT, arg);
}

static int root_wrap(void *data, struct kvault_root_wrap *arg)
{
	arg->size = sizeof(*arg);
	return control(data, KVAULT_CTL_ROOT_WRAP, arg);
}

const struct kvd_kernel *kvd_link_kernel(struct kvd_link *link)
{
	return &link->kernel;
}

static int open_netlink(struct kvd_link *link, struct kvd_why *why)
{
	const struct timeval limit = { .tv_sec = NETLINK_TIMEOUT_S };
	int on = 1, r;

	link->nl = nl_socket_alloc();
	if (!link->nl)
		return -ENOMEM;
	r = genl_connect(link->nl);
	if (r < 0)
		return kvd_refuse(why, -EIO, "Generic netlink is not there: %s", nl_geterror(r));
	link->family = genl_ctrl_resolve(link->nl, KVAULT_FAMILY_NAME);
	if (link->family < 0)
		return kvd_refuse(why, -ENODEV,
				  "There is no netlink family 'kvault': is the module loaded?");
	setsockopt(nl_socket_get_fd(link->nl), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(nl_socket_get_fd(link->nl), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	/* Only the answers to our own requests come here: room for a dump is enough. */
	nl_socket_set_buffer_size(link->nl, 1 << 20, 1 << 16);
	return 0;
}

int kvd_link_open(const char *device, struct kvd_link **ret, struct kvd_why *why)
{
	_cleanup_(kvd_link_close_cleanup) struct kvd_link *link = calloc(1, sizeof(*link));
	int r;

	if (!link)
		return -ENOMEM;
	link->fd = open(device, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (link->fd < 0)
		return kvd_refuse(why, -errno, "%s cannot be opened: %s", device,
				  strerror(errno));
	r = open_netlink(link, why);
	if (r < 0)
		return r;
	link->kernel = (struct kvd_kernel){
		.data = link, .seal = seal, .submit = submit, .root_wrap = root_wrap,
		.policy_set = policy_set, .object_set = object_set, .tenants = tenants,
		.engines = engines,
	};
	*ret = TAKE_PTR(link);
	return 0;
}

struct kvd_link *kvd_link_close(struct kvd_link *link)
{
	if (!link)
		return NULL;
	if (link->nl)
		nl_socket_free(link->nl);
	if (link->fd >= 0)
		close(link->fd);
	free(link);
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
static long the_size_of_the_second_read(void *arg, unsigned long uptr)
{
	void __user *uarg = (void __user *)uptr;
	u32 size;

	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(arg, 64, uarg, size);	/* BAD */
}

static long the_size_of_the_first_read(void *arg, unsigned long uptr)
{
	void __user *uarg = (void __user *)uptr;
	u32 size;
	long ret;

	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	ret = copy_struct_from_user(arg, 64, uarg, size);
	if (ret)
		return ret;
	*(u32 *)arg = size;
	return 0;
}

static int a_header_and_then_all(struct kvault_exchange *arg, u8 *all)
{
	struct kvault_msg msg;

	if (copy_from_user(&msg, u64_to_user_ptr(arg->reply), sizeof(msg)))
		return -EFAULT;
	if (msg.size > 4096)
		return -EINVAL;
	if (copy_from_user(all, u64_to_user_ptr(arg->reply), msg.size))	/* BAD */
		return -EFAULT;
	return 0;
}

static int a_header_and_then_the_rest(struct kvault_exchange *arg, u8 *rest)
{
	struct kvault_msg msg;

	if (copy_from_user(&msg, u64_to_user_ptr(arg->reply), sizeof(msg)))
		return -EFAULT;
	if (msg.size > 4096)
		return -EINVAL;
	if (copy_from_user(rest, u64_to_user_ptr(arg->reply) + sizeof(msg), msg.size))
		return -EFAULT;
	return 0;
}

static int a_buffer_twice(struct kvault_crypt *arg)
{
	u8 *first = kv_copy_in(arg->in, 4, 64), *all;

	all = kv_copy_in(arg->in, first[0], 64);	/* BAD */
	use(all, kv_copy_in(arg->aux, first[1], 64));
	return 0;
}

static int a_handler(struct file *file, void *p)
{
	struct kvault_seal *arg = p;

	if (arg->flags)
		return -EINVAL;
	return copy_to_user(u64_to_user_ptr(arg->out), arg, arg->size);	/* BAD */
}

#!/usr/bin/env bash
# Runs systemd as process 1 of new namespaces: "outer DIR GROUP" makes the namespaces and the control groups, "inner DIR"
# makes the file system and becomes systemd. Units that would touch the kernel are masked.
set -e
dir=$2
if [ "$1" = outer ]; then
	for c in /sys/fs/cgroup/*/; do
		[ -f "$c/cgroup.procs" ] || continue
		mkdir -p "$c/$3"
		case $(basename "$c") in cpuset*)
			cat "$c/cpuset.cpus" >"$c/$3/cpuset.cpus"
			cat "$c/cpuset.mems" >"$c/$3/cpuset.mems"
			;;
		esac
		echo $$ >"$c/$3/cgroup.procs"
	done
	exec unshare --mount --pid --fork --uts --ipc --cgroup --propagation private bash "$0" inner "$dir"
fi
m=$dir/m
mkdir -p "$m"
mount -t tmpfs tmpfs "$m"
mkdir -p "$m/up/etc/systemd/system" "$m/work" "$m/root"
for unit in systemd-sysctl.service systemd-binfmt.service systemd-modules-load.service systemd-remount-fs.service \
	systemd-update-utmp.service systemd-tmpfiles-setup-dev.service systemd-tmpfiles-setup.service systemd-udevd.service \
	systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket proc-sys-fs-binfmt_misc.automount \
	sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount \
	dev-mqueue.mount systemd-timesyncd.service docker.socket docker.service containerd.service systemd-journal-flush.service; do
	ln -sf /dev/null "$m/up/etc/systemd/system/$unit"
done
mount -t overlay overlay -o "lowerdir=/,upperdir=$m/up,workdir=$m/work" "$m/root"
root=$m/root
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount --rbind /tmp "$root/tmp"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
while read -r subsystem hierarchy _ _; do
	[ "$subsystem" = '#subsys_name' ] || [ "$hierarchy" = 0 ] || {
		mkdir "$root/sys/fs/cgroup/$subsystem"
		mount -t cgroup -o "$subsystem" cgroup "$root/sys/fs/cgroup/$subsystem"
	}
done </proc/cgroups
mkdir "$root/sys/fs/cgroup/systemd"
mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
mkdir "$root/sys/fs/cgroup/unified"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
mkdir -p "$root/.old"
cd "$root"
pivot_root . .old
umount -l /.old
exec env -i container=test PATH="$PATH" /lib/systemd/systemd --system --unit=basic.target --show-status=0

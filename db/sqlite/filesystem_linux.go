package sqlite

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db/engine"
)

// checkFilesystem refuses file systems on which SQLite's write-ahead log or our
// locks do not work, because several machines may see the same files.
func checkFilesystem(folder string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	name := networkName(int64(st.Type))
	if uint32(st.Type) == unix.FUSE_SUPER_MAGIC {
		name = networkFUSE(mountType(folder))
	}
	if name != "" {
		return fmt.Errorf("%w: %s is on %s", engine.ErrNetwork, folder, name)
	}
	return nil
}

// networkName returns the name of a network file system by its number in statfs(2), and
// "" for other file systems.
func networkName(magic int64) string {
	switch uint32(magic) {
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return "SMB"
	case unix.V9FS_MAGIC:
		return "9p"
	case unix.CEPH_SUPER_MAGIC:
		return "Ceph"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS"
	case unix.CODA_SUPER_MAGIC:
		return "Coda"
	case unix.OCFS2_SUPER_MAGIC:
		return "OCFS2"
	case lustreMagic:
		return "Lustre"
	case gfs2Magic:
		return "GFS2"
	}
	return ""
}

// Numbers that are missing from the kernel's headers for programs.
const (
	lustreMagic = 0x0BD00BD0
	gfs2Magic   = 0x01161970
)

// networkFUSE returns the name of a FUSE network file system by its type in mountinfo,
// such as fuse.sshfs, and "" for others: many, such as NTFS, are on a local disk.
func networkFUSE(kind string) string {
	name, _ := strings.CutPrefix(kind, "fuse.")
	switch name {
	case "sshfs", "glusterfs", "ceph-fuse", "cephfs", "s3fs", "goofys", "gcsfuse", "rclone", "juicefs", "davfs", "davfs2", "curlftpfs", "smbnetfs", "mfs", "lizardfs", "seaweedfs", "blobfuse", "blobfuse2":
		return name
	}
	return ""
}

// mountType returns the type of the file system that a folder is on, or "" if it is not
// known. See proc_pid_mountinfo(5).
func mountType(folder string) string {
	var st unix.Stat_t
	if err := unix.Stat(folder, &st); err != nil {
		return ""
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	return typeOfDevice(string(mounts), fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev)))
}

// typeOfDevice finds the type of the file system on a device in a mountinfo file:
// "36 35 0:98 /mnt1 /mnt2 rw - fuse.sshfs host:/ rw".
func typeOfDevice(mounts, device string) string {
	for line := range strings.Lines(mounts) {
		head, tail, _ := strings.Cut(line, " - ")
		fields := strings.Fields(head)
		if kind := strings.Fields(tail); len(fields) > 2 && fields[2] == device && len(kind) > 0 {
			return kind[0]
		}
	}
	return ""
}

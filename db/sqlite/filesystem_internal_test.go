//go:build linux

package sqlite

import "testing"

// T40: the numbers of file systems are those of statfs(2). Inside the package,
// as a test cannot mount most of them.
func TestDisksOfOtherMachinesAreKnownByTheirNumber(t *testing.T) {
	for magic, want := range map[int64]string{
		0x6969: "NFS", 0xff534d42: "SMB", 0xfe534d42: "SMB", 0x517b: "SMB", 0x01021997: "9p", 0x00c36400: "Ceph", 0x5346414f: "AFS", 0x73757245: "Coda", 0x7461636f: "OCFS2", 0x0bd00bd0: "Lustre", 0x01161970: "GFS2",
		0xef53: "", 0x58465342: "", 0x9123683e: "", 0x01021994: "", 0x794c7630: "", 0x2fc12fc1: "", // ext4, XFS, btrfs, tmpfs, overlay, ZFS
	} {
		// Where a long has 32 bits, large numbers come out negative.
		for _, n := range []int64{magic, int64(int32(uint32(magic)))} {
			if got := networkName(n); got != want {
				t.Errorf("%#x is %q, want %q", n, got, want)
			}
		}
	}
}

// A program that provides a file system says what it is only in mountinfo.
func TestNetworkDisksOfProgramsAreKnownByTheirType(t *testing.T) {
	const mounts = `21 1 259:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 21 0:52 / /mnt/far rw,nosuid shared:9 master:2 - fuse.sshfs me@host:/srv rw,user_id=0
41 21 0:53 / /mnt/stick rw - fuseblk /dev/sdb1 rw
42 21 0:54 / /mnt/pool rw - fuse.mergerfs pool rw
43 21 0:55 / /mnt/vol rw - fuse.glusterfs host:vol rw
`
	for device, want := range map[string]string{"0:52": "sshfs", "0:53": "", "0:54": "", "0:55": "glusterfs", "259:1": "", "9:9": ""} {
		if got := networkFUSE(typeOfDevice(mounts, device)); got != want {
			t.Errorf("%s is %q, want %q", device, got, want)
		}
	}
	if mountType("/") == "" {
		t.Log("the root folder is not in mountinfo here")
	}
}

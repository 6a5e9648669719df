using System.Runtime.InteropServices;
using Mesh.Hosting.Processes;

namespace Mesh.Hosting.Files;

/// <summary>Which file a name stands for now.</summary>
public static class FileIdentity
{
    private const int Here = -100; // AT_FDCWD
    private const int NoSuchEntry = 2; // ENOENT
    private const int NotADirectory = 20; // ENOTDIR
    private const uint Inode = 0x100; // STATX_INO
    private const int InodeAt = 32; // of stx_ino in struct statx (statx(2)), which is the same on every machine
    private const int StatusBytes = 256;

    /// <summary>The number of the file (inode); null when there is none of that name.</summary>
    /// <exception cref="IOException">The kernel does not say, which tells nothing of the file.</exception>
    public static ulong? Of(string path)
    {
        Span<byte> status = stackalloc byte[StatusBytes];
        if (NativeMethods.Status(Here, path, flags: 0, Inode, status) == 0)
        {
            return MemoryMarshal.Read<ulong>(status[InodeAt..]);
        }

        return Marshal.GetLastPInvokeError() is NoSuchEntry or NotADirectory
            ? null
            : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}

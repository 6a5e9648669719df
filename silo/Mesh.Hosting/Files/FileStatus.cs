using System.Runtime.InteropServices;
using Mesh.Hosting.Processes;

namespace Mesh.Hosting.Files;

/// <summary>Whose a file is, and which, for which .NET has no word (statx(2), whose answer is laid out alike on every machine).</summary>
public static class FileStatus
{
    private const int Here = -100; // AT_FDCWD
    private const int NoSuchEntry = 2; // ENOENT
    private const int NotADirectory = 20; // ENOTDIR
    private const uint OwnerAsked = 0x8; // STATX_UID
    private const uint NumberAsked = 0x100; // STATX_INO
    private const int StatusBytes = 256; // struct statx
    private const int OwnerAt = 20; // stx_uid
    private const int NumberAt = 32; // stx_ino

    /// <summary>The user of this process.</summary>
    public static uint Mine => NativeMethods.EffectiveUser();

    /// <summary>The user's id; null where the kernel does not say.</summary>
    public static uint? Owner(string path)
    {
        Span<byte> status = stackalloc byte[StatusBytes];
        return NativeMethods.Status(Here, path, flags: 0, OwnerAsked, status) == 0 ? MemoryMarshal.Read<uint>(status[OwnerAt..]) : null;
    }

    /// <summary>The number of the file for which the name stands now (inode); null when there is none of that name.</summary>
    /// <exception cref="IOException">The kernel does not say, which tells nothing of the file.</exception>
    public static ulong? Number(string path)
    {
        Span<byte> status = stackalloc byte[StatusBytes];
        if (NativeMethods.Status(Here, path, flags: 0, NumberAsked, status) == 0)
        {
            return MemoryMarshal.Read<ulong>(status[NumberAt..]);
        }

        return Marshal.GetLastPInvokeError() is NoSuchEntry or NotADirectory
            ? null
            : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}

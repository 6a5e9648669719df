using System.Runtime.InteropServices;
using Mesh.Hosting.Processes;

namespace Mesh.Hosting.Files;

/// <summary>Whose a file is, for which .NET has no word.</summary>
internal static class FileOwner
{
    private const int Here = -100; // AT_FDCWD
    private const uint Owner = 0x8; // STATX_UID
    private const int StatusBytes = 256; // struct statx
    private const int OwnerAt = 20; // stx_uid

    public static uint Mine => NativeMethods.EffectiveUser();

    /// <summary>The user's id; null where the kernel does not say.</summary>
    public static uint? Of(string path)
    {
        Span<byte> status = stackalloc byte[StatusBytes];
        return NativeMethods.Status(Here, path, flags: 0, Owner, status) == 0 ? MemoryMarshal.Read<uint>(status[OwnerAt..]) : null;
    }
}

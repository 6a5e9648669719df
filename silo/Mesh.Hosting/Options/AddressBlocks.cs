using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Mesh.Hosting.Options;

/// <summary>IPv4 addresses and blocks of them, separated by commas: Services are IPv4.</summary>
internal static class AddressBlocks
{
    /// <summary>More blocks than a machine has networks.</summary>
    public const int MostBlocks = 64;

    /// <summary>A single address is the block that holds only it. Null: something of the list is neither.</summary>
    public static ImmutableArray<IPNetwork>? TryParse(string text)
    {
        var blocks = ImmutableArray.CreateBuilder<IPNetwork>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (TryParseOne(part) is not { } block || blocks.Count == MostBlocks)
            {
                return null;
            }

            blocks.Add(block);
        }

        return blocks.ToImmutable();
    }

    public static bool Overlap(IPNetwork one, IPNetwork other) => one.Contains(other.BaseAddress) || other.Contains(one.BaseAddress);

    /// <summary>Written as it is printed: the platform's parser also takes 127.1 and 0x7f000001.</summary>
    private static IPNetwork? TryParseOne(string text) =>
        IPNetwork.TryParse(text.Contains('/', StringComparison.Ordinal) ? text : text + "/32", out var block)
        && block.BaseAddress.AddressFamily == AddressFamily.InterNetwork
        && (block.ToString() == text || block.BaseAddress.ToString() == text)
            ? block
            : null;
}

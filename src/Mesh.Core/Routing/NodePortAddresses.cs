using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>Which of a machine's addresses serve NodePorts: those in one of the blocks, or all (kube-proxy <c>--nodeport-addresses</c>).</summary>
public sealed class NodePortAddresses(ImmutableArray<IPRange> blocks)
{
    public static NodePortAddresses All { get; } = new([]);

    /// <param name="machine">The addresses of its interfaces.</param>
    /// <returns>Each once, 127.0.0.1 first; IPv4 only, as Services are.</returns>
    public ImmutableArray<IPAddress> Of(IEnumerable<IPAddress> machine)
    {
        // No interface names the rest of 127/8, and every one of them is this machine's: who names one singly means it.
        var named = blocks.Where(block => block.Size == 1).Select(block => block[0]).Where(IPAddress.IsLoopback);
        return [.. machine.Where(AddressText.IsV4).Prepend(IPAddress.Loopback).Concat(named).Where(IsMeant).Distinct()];
    }

    private bool IsMeant(IPAddress address)
    {
        foreach (var block in blocks)
        {
            if (block.Contains(address))
            {
                return true;
            }
        }

        return blocks.IsEmpty;
    }
}

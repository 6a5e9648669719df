using System.Collections.Immutable;

namespace Mesh.Core.Routing;

/// <summary>
/// Counts the endpoints on each port number, so that a NodePort that no endpoint has is known for one by one look. A change
/// of readiness costs nothing here.
/// </summary>
internal sealed class EndpointPorts
{
    private readonly Dictionary<int, int> _counts = [];

    public bool Has(int port) => _counts.ContainsKey(port);

    public void Move(ImmutableArray<Endpoint> before, ImmutableArray<Endpoint> after)
    {
        if (HaveSamePorts(before, after))
        {
            return;
        }

        foreach (var endpoint in after)
        {
            foreach (var port in endpoint.Ports)
            {
                _counts[port.Number] = _counts.GetValueOrDefault(port.Number) + 1;
            }
        }

        foreach (var endpoint in before)
        {
            foreach (var port in endpoint.Ports)
            {
                var rest = _counts[port.Number] - 1;
                if (rest == 0)
                {
                    _counts.Remove(port.Number);
                }
                else
                {
                    _counts[port.Number] = rest;
                }
            }
        }
    }

    private static bool HaveSamePorts(ImmutableArray<Endpoint> before, ImmutableArray<Endpoint> after)
    {
        if (before.Length != after.Length)
        {
            return false;
        }

        for (var i = 0; i < before.Length; i++)
        {
            // The same array: a change of readiness copies the reference.
            if (before[i].Ports != after[i].Ports)
            {
                return false;
            }
        }

        return true;
    }
}

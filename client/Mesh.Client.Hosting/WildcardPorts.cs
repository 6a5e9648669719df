using System.Net;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Hosting;

/// <summary>
/// A port of every address includes that port of each ClusterIP, so of a server that listens there and a Service only one
/// can be. Which Services those are the node tells; that it does not tell changes nothing.
/// </summary>
internal sealed class WildcardPorts(ILogger log)
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Who can ask the node; null until there is one.</summary>
    public PodRegistration? Pod { get; set; }

    /// <summary>The server could not listen there, and will end: this is the last moment to say why.</summary>
    public async Task ExplainAsync(IPEndPoint endpoint, CancellationToken stop)
    {
        if (IsWildcard(endpoint.Address) && await FirstAsync(endpoint.Port, stop) is { } service)
        {
            log.Excluded(service, endpoint.Port);
        }
    }

    /// <summary>The server listens there: its Service, if there is one, has to go without.</summary>
    public async Task WarnAsync(IEnumerable<int> ports, CancellationToken stop)
    {
        foreach (var port in ports)
        {
            if (await FirstAsync(port, stop) is { } service)
            {
                log.Excludes(service, port);
            }
        }
    }

    public static bool IsWildcard(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private async Task<string?> FirstAsync(int port, CancellationToken stop) =>
        Pod is { } pod && await pod.ServicesAtAsync(port, AnswerTimeout, stop) is [var first, ..] ? first.ToString() : null;
}

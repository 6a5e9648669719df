using System.Text.Json;
using Mesh.ApiServer.Documents;

namespace Mesh.ApiServer.Printing;

/// <summary>Rows of EndpointSlices and Endpoints (printers.go, printEndpointSlice, formatEndpoints).</summary>
internal static class EndpointCells
{
    private const string Unset = "<unset>";

    public static string[] ForSlice(JsonElement document, DateTimeOffset now)
    {
        var ports = document.At("ports").Items()
            .Select(port => port.At("port").TextOr(port.At("name").TextOr("*")))
            .ToList();
        var addresses = document.At("endpoints").Items()
            .SelectMany(endpoint => endpoint.At("addresses").Items().Select(address => address.Text()))
            .ToList();
        return
        [
            document.ObjectName(),
            document.At("addressType").Text(),
            TableCells.FirstThree(ports, Unset),
            TableCells.FirstThree(addresses, Unset),
            TableCells.Age(document, now),
        ];
    }

    public static string[] ForEndpoints(JsonElement document, DateTimeOffset now)
    {
        var ready = document.At("subsets").Items().SelectMany(Ready).ToList();
        return [document.ObjectName(), TableCells.FirstThree(ready, TableCells.None), TableCells.Age(document, now)];
    }

    private static IEnumerable<string> Ready(JsonElement subset)
    {
        var addresses = subset.At("addresses").Items().Select(address => address.At("ip").Text());
        var ports = subset.At("ports").Items().Select(port => port.At("port").Text()).ToList();
        return ports.Count == 0
            ? addresses
            : ports.SelectMany(_ => addresses, (port, address) => $"{address}:{port}");
    }
}

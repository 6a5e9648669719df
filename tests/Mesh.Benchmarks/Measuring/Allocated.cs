using System.Globalization;
using System.Net;

namespace Mesh.Benchmarks.Measuring;

/// <summary>Bytes that the processes have allocated since their start, as the runtime counts them, read from their page of metrics.</summary>
internal static class Allocated
{
    private const string Counter = "dotnet_gc_heap_total_allocated_bytes_total{";

    public static async Task<(double Silo, double Node)> ReadAsync(HttpClient client, IPEndPoint node, CancellationToken stop)
    {
        var page = await client.GetStringAsync(new Uri($"http://{node}/metrics"), stop);
        return (Of(page, "mesh-silo"), Of(page, "mesh-node"));
    }

    private static double Of(string page, string process)
    {
        var line = page.Split('\n').FirstOrDefault(line =>
            line.StartsWith(Counter, StringComparison.Ordinal) && line.Contains($"\"{process}\"", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"The page of metrics does not tell what {process} has allocated.");
        return double.Parse(line[(line.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
    }
}

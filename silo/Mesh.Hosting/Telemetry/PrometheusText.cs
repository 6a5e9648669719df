using System.Text;

namespace Mesh.Hosting.Telemetry;

/// <summary>
/// Makes one page of several processes' pages in the text format (prometheus.io/docs/instrumenting/exposition_formats):
/// all lines of one metric stand together, after one header, so that pages cannot simply follow each other. Samples are told
/// apart by a label that each process puts on its own.
/// </summary>
public static class PrometheusText
{
    public static string Merge(params IEnumerable<string> pages)
    {
        var order = new List<string>();
        var metrics = new Dictionary<string, (StringBuilder Header, StringBuilder Samples)>(StringComparer.Ordinal);
        foreach (var page in pages)
        {
            var isFirst = false;
            var name = "";
            foreach (var line in page.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                if (HeaderOf(line) is { } named && named != name)
                {
                    name = named;
                    if (isFirst = metrics.TryAdd(name, (new StringBuilder(), new StringBuilder())))
                    {
                        order.Add(name);
                    }
                }

                if (!line.StartsWith('#'))
                {
                    metrics[name].Samples.Append(line).Append('\n');
                }
                else if (isFirst && HeaderOf(line) is not null)
                {
                    metrics[name].Header.Append(line).Append('\n');
                }
            }
        }

        return order.Aggregate(new StringBuilder(), (text, name) => text.Append(metrics[name].Header).Append(metrics[name].Samples)).ToString();
    }

    /// <summary>The metric that a line is a header of; null for a sample or another comment.</summary>
    private static string? HeaderOf(string line) =>
        line.Split(' ', 4) is ["#", "TYPE" or "HELP" or "UNIT", var name, ..] ? name : null;
}

using System.Globalization;

namespace Mesh.Silo.Nodes;

/// <summary>What a node said while it started, and how its end is told.</summary>
internal static class NodeWords
{
    private const int Kept = 2_000;
    private const int SignalBase = 128; // as shells tell a signal in an exit code

    /// <summary>The first line: a refusal has no other, and a crash of the runtime begins with its reason.</summary>
    /// <returns>When the node has started or ended; empty when it said nothing.</returns>
    public static async Task<string> ReadAsync(StreamReader errors, CancellationToken stop)
    {
        var kept = new char[Kept];
        var length = 0;
        var rest = new char[256];
        try
        {
            while (length < Kept && await errors.ReadAsync(kept.AsMemory(length), stop) is > 0 and var more)
            {
                length += more;
            }

            while (length == Kept && await errors.ReadAsync(rest, stop) > 0)
            {
                // Read on, so that whatever it says does not hold it up.
            }
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            // What came until now is what is told.
        }

        var said = kept.AsSpan(0, length).TrimStart();
        var end = said.IndexOf('\n');
        return (end < 0 ? said : said[..end]).Trim().ToString();
    }

    public static string Tell(int exitCode, string words, string log)
    {
        var how = exitCode > SignalBase
            ? string.Create(CultureInfo.InvariantCulture, $"was ended by signal {exitCode - SignalBase}")
            : string.Create(CultureInfo.InvariantCulture, $"ended with exit code {exitCode}");
        return words.Length > 0 ? $"{how}: {words}" : $"{how} (its log: {log})";
    }
}

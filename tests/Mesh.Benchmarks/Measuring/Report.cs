using System.Globalization;

namespace Mesh.Benchmarks.Measuring;

/// <summary>The figures, one plain line each: what was measured, its peer or budget, and the ratio.</summary>
internal static class Report
{
    public static void Title(string scenario)
    {
        Console.WriteLine();
        Console.WriteLine($"== {scenario} (load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]}, {Environment.ProcessorCount} processors)");
    }

    public static void Note(string text) => Console.WriteLine("   " + text);

    /// <summary>A figure beside a peer measured in the same run.</summary>
    public static void Ratio(string what, string unit, double figure, string peer, double peerFigure, double ratio, double budget) =>
        Console.WriteLine($"{what}: {Text(figure)} {unit}; {peer} {Text(peerFigure)} {unit}; ratio {Text(ratio)}; budget {Text(budget)}: {Verdict(ratio <= budget)}");

    /// <summary>A figure that must not be above its budget.</summary>
    public static void AtMost(string what, double figure, string unit, double budget) =>
        Console.WriteLine($"{what}: {Text(figure)} {unit}; budget {Text(budget)} {unit}; ratio {Text(figure / budget)}: {Verdict(figure <= budget)}");

    /// <summary>A figure that must not be below its budget.</summary>
    public static void AtLeast(string what, double figure, string unit, double budget) =>
        Console.WriteLine($"{what}: {Text(figure)} {unit}; budget {Text(budget)} {unit}; ratio {Text(figure / budget)}: {Verdict(figure >= budget)}");

    /// <summary>A figure without a budget of its own.</summary>
    public static void Figure(string what, double figure, string unit) => Console.WriteLine($"{what}: {Text(figure)} {unit}");

    private static string Verdict(bool isWithin) => isWithin ? "within" : "OVER";

    private static string Text(double value) => Math.Abs(value) switch
    {
        >= 1000 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 100 => value.ToString("F0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("F1", CultureInfo.InvariantCulture),
        _ => value.ToString("F2", CultureInfo.InvariantCulture),
    };
}

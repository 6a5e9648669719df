using System.Globalization;

namespace Mesh.Demo;

/// <summary>Tells the story: one line per fact, a live line while something runs, plain when nobody watches a terminal.</summary>
internal sealed class Teller(TextWriter output, bool isTerminal)
{
    private const string Green = "\e[32m";
    private const string Red = "\e[31m";
    private const string Bold = "\e[1m";
    private const string Plain = "\e[0m";
    private const string ClearLine = "\r\e[K";

    private readonly Lock _lock = new();
    private int _untrue;

    /// <summary>Whether everything shown so far was true.</summary>
    public bool AllTrue => _untrue == 0;

    public static string Ms(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:F0} ms");

    public void Chapter(string title) => Line(isTerminal ? $"\n{Bold}{title}{Plain}" : $"\n{title}");

    public void Say(string text) => Line("  " + text);

    /// <summary>A fact that was looked at: a tick, or a cross that makes the demo fail.</summary>
    public void Fact(bool isTrue, string text)
    {
        _untrue += isTrue ? 0 : 1;
        var mark = isTrue ? "✓" : "✗";
        Line(isTerminal ? $"  {(isTrue ? Green : Red)}{mark}{Plain} {text}" : $"  {mark} {text}");
    }

    /// <summary>What is waited for now; on a terminal the fact that comes of it takes the line's place.</summary>
    public void Waiting(string text)
    {
        if (isTerminal)
        {
            Live(text);
        }
        else
        {
            Say(text);
        }
    }

    /// <summary>Replaces itself until the next line; on something that is no terminal it says nothing.</summary>
    public void Live(string text)
    {
        if (isTerminal)
        {
            Write($"{ClearLine}  {text}");
        }
    }

    private void Line(string text) => Write((isTerminal ? ClearLine + text : text) + Environment.NewLine);

    private void Write(string text)
    {
        lock (_lock)
        {
            try
            {
                output.Write(text);
                output.Flush();
            }
            catch (IOException)
            {
                // The terminal was closed: the processes have to be ended all the same.
            }
        }
    }
}

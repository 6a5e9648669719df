using System.Text;

namespace Mesh.Hosting.Logging;

/// <summary>Where log lines end; used by one loop.</summary>
public interface ILogOutput : IDisposable
{
    void Write(string line);

    void Flush();
}

/// <summary>Standard error: standard output belongs to what a person asked for.</summary>
public sealed class StandardErrorOutput : ILogOutput
{
    private readonly StreamWriter _writer = new(Console.OpenStandardError(), new UTF8Encoding(false), 4096);

    public void Write(string line) => Attempt(() => _writer.Write(line));

    public void Flush() => Attempt(_writer.Flush);

    public void Dispose() => Attempt(_writer.Dispose);

    /// <summary>A reader that went away (a closed pipe) takes its lines with it, not the process.</summary>
    private static void Attempt(Action write)
    {
        try
        {
            write();
        }
        catch (IOException)
        {
            // There is nowhere left to tell it.
        }
    }
}

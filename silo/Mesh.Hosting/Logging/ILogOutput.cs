namespace Mesh.Hosting.Logging;

/// <summary>Where log lines end; used by one loop.</summary>
public interface ILogOutput : IDisposable
{
    /// <summary>Writes whole lines in UTF-8, in one piece.</summary>
    void Write(ReadOnlySpan<byte> lines);
}

/// <summary>Standard error: standard output belongs to what a person asked for.</summary>
public sealed class StandardErrorOutput : ILogOutput
{
    private readonly Stream _stream = Console.OpenStandardError();

    public void Write(ReadOnlySpan<byte> lines)
    {
        try
        {
            _stream.Write(lines);
        }
        catch (IOException)
        {
            // A reader that went away (a closed pipe) takes its lines with it, not the process.
        }
    }

    public void Dispose() => _stream.Dispose();
}

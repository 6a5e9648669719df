using System.Text;
using System.Threading.Channels;
using Mesh.Hosting.Logging;
using Xunit;

namespace Mesh.Hosting.Tests.Logging;

/// <summary>An output whose writes a test reads one by one, and can hold up as a stopped terminal does.</summary>
internal sealed class Collected : ILogOutput
{
    private readonly Channel<string> _writes = Channel.CreateBounded<string>(1000);
    private readonly SemaphoreSlim _open = new(1);

    public async Task<string> NextAsync(CancellationToken stop) => await _writes.Reader.ReadAsync(stop);

    /// <summary>What was written and not read yet.</summary>
    public string Rest()
    {
        var all = new StringBuilder();
        while (_writes.Reader.TryRead(out var write))
        {
            all.Append(write);
        }

        return all.ToString();
    }

    /// <summary>What the next write meets.</summary>
    public Exception? Fault { get; set; }

    public void Stop() => _open.Wait();

    public void GoOn() => _open.Release();

    public void Write(ReadOnlySpan<byte> lines)
    {
        if (Fault is { } fault)
        {
            Fault = null;
            throw fault;
        }

        Assert.True(_writes.Writer.TryWrite(Encoding.UTF8.GetString(lines)));
        _open.Wait();
        _open.Release();
    }

    public void Dispose() => _open.Dispose();
}

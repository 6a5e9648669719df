using System.Runtime.InteropServices;

namespace Mesh.Hosting.Processes;

/// <summary>
/// SIGTERM and Ctrl-C: the first asks for an orderly end, the second of Ctrl-C ends at once. A file that may grow no
/// further (RLIMIT_FSIZE) ends nobody: its write fails, as on a full disk.
/// </summary>
public sealed class ShutdownSignals : IDisposable
{
    private const PosixSignal FileSizeExceeded = (PosixSignal)25; // SIGXFSZ, signal(7)

    private readonly CancellationTokenSource _requested = new();
    private readonly Action? _atOnce;
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _fileSize;

    /// <summary><paramref name="atOnce"/> runs on the second Ctrl-C, before this process ends.</summary>
    public ShutdownSignals(Action? atOnce = null)
    {
        _atOnce = atOnce;
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        _fileSize = PosixSignalRegistration.Create(FileSizeExceeded, static context => context.Cancel = true);
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Requested => _requested.Token;

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
        _fileSize.Dispose();
        _requested.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_requested.IsCancellationRequested && context.Signal == PosixSignal.SIGINT)
        {
            _atOnce?.Invoke();
            Environment.Exit(ExitCode.Interrupted);
        }

        _requested.Cancel();
    }
}

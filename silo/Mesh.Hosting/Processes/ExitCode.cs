namespace Mesh.Hosting.Processes;

/// <summary>What a process tells its caller by its exit code.</summary>
public static class ExitCode
{
    public const int Done = 0;

    /// <summary>Something failed after the start, that was not the caller's doing.</summary>
    public const int Failed = 1;

    /// <summary>What was asked for cannot be done: a bad option, a taken port, a locked directory. Nothing was started.</summary>
    public const int Refused = 2;

    /// <summary>A second Ctrl-C: 128 and SIGINT's number, as shells tell it.</summary>
    public const int Interrupted = 130;
}

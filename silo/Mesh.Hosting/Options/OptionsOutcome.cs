namespace Mesh.Hosting.Options;

/// <summary>What a command line asks for.</summary>
public abstract record OptionsOutcome
{
    private OptionsOutcome()
    {
    }

    public sealed record Run(MeshOptions Options) : OptionsOutcome;

    public sealed record RunNode(string DataDir) : OptionsOutcome;

    /// <summary><c>--stop</c>: end whatever runs on this data directory.</summary>
    public sealed record Stop(string DataDir) : OptionsOutcome;

    /// <summary><c>--backup FILE</c>: copy the store, whoever uses it.</summary>
    public sealed record Backup(string DataDir, string File) : OptionsOutcome;

    /// <summary><c>--restore FILE</c>: put a copy in the place of the store.</summary>
    public sealed record Restore(string DataDir, string File) : OptionsOutcome;

    public sealed record Help : OptionsOutcome;

    public sealed record Version : OptionsOutcome;

    /// <param name="Line">One line that says what is wrong, and with which option.</param>
    public sealed record Refused(string Line) : OptionsOutcome;
}

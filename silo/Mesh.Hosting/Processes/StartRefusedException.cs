namespace Mesh.Hosting.Processes;

/// <summary>The process cannot start: one line on standard error, exit code 2. Whatever ends a start becomes one.</summary>
public sealed class StartRefusedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>For a failure that nobody foresaw, or that tells itself well enough.</summary>
    public static StartRefusedException Of(Exception failure) =>
        failure as StartRefusedException ?? new StartRefusedException(LastWords.Describe(failure), failure);
}

using System.Collections;
using System.Diagnostics;
using Mesh.Hosting.Options;
using Mesh.Hosting.Processes;

namespace Mesh.Node;

/// <summary>The command <c>mesh-node</c>: what its arguments ask for, and its exit code.</summary>
internal static class NodeProgram
{
    private const string Name = "mesh-node";
    private const string Purpose = "mesh-node: the agent and data plane of Mesh on this machine. mesh-silo starts it, and tells it everything else.";

    public static Task<int> RunAsync(string[] arguments, IDictionary environment) =>
        LastWords.OrAnswerAsync(Name, () => false, async () =>
        {
            switch (OptionsParser.ParseDataDir(arguments, environment))
            {
                case OptionsOutcome.Help:
                    Console.WriteLine(HelpText.For(Name, Purpose, OptionTable.Node));
                    return ExitCode.Done;
                case OptionsOutcome.Version:
                    Console.WriteLine($"{Name} {HelpText.Version}");
                    return ExitCode.Done;
                case OptionsOutcome.Refused refused:
                    return LastWords.Refuse(Name, refused.Line);
                case OptionsOutcome.RunNode run:
                    using (var signals = new ShutdownSignals())
                    {
                        return await NodeProcess.RunAsync(run.DataDir, environment, signals.Requested);
                    }

                default:
                    throw new UnreachableException();
            }
        });
}

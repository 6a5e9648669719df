using System.Collections;
using System.Diagnostics;
using Mesh.Hosting.Options;
using Mesh.Hosting.Processes;

namespace Mesh.Node;

/// <summary>The command <c>mesh-node</c>: what its arguments ask for, and its exit code.</summary>
internal static class NodeProgram
{
    private const string Purpose = "mesh-node: the agent and data plane of Mesh on this machine. mesh-silo starts it, and tells it everything else.";

    public static async Task<int> RunAsync(string[] arguments, IDictionary environment)
    {
        try
        {
            switch (OptionsParser.ParseDataDir(arguments, environment))
            {
                case OptionsOutcome.Help:
                    Console.WriteLine(HelpText.For("mesh-node", Purpose, OptionTable.Node));
                    return ExitCode.Done;
                case OptionsOutcome.Version:
                    Console.WriteLine($"mesh-node {HelpText.Version}");
                    return ExitCode.Done;
                case OptionsOutcome.Refused refused:
                    return Refuse(refused.Line);
                case OptionsOutcome.RunNode run:
                    using (var signals = new ShutdownSignals())
                    {
                        return await NodeProcess.RunAsync(run.DataDir, environment, signals.Requested);
                    }

                default:
                    throw new UnreachableException();
            }
        }
        catch (StartRefusedException refused)
        {
            return Refuse(refused.Message);
        }
    }

    private static int Refuse(string line)
    {
        Console.Error.WriteLine("mesh-node: " + line.ReplaceLineEndings(" "));
        return ExitCode.Refused;
    }
}

using Mesh.Hosting.Processes;
using Mesh.Silo;

if (!OperatingSystem.IsLinux())
{
    await Console.Error.WriteLineAsync("mesh-silo: Mesh runs on Linux only");
    return ExitCode.Refused;
}

return await SiloProgram.RunAsync(args, Environment.GetEnvironmentVariables());

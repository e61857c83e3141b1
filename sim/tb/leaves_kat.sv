// SPDX-License-Identifier: Apache-2.0
// The leaves' known answers under another simulator (iverilog): FIPS 197 appendix C.1 and C.3, test case 2 of the GCM
// specification, FIPS 180-4 "abc". Prints "leaves ok" or which one differs.
`default_nettype none

module leaves_kat;
	reg clk = 1'b0;
	reg rst = 1'b1;
	always #1 clk = !clk;

	reg          k256 = 1'b0;
	wire [127:0] cipher;
	aes_pipe aes (
		.clk (clk), .k256 (k256), .out (cipher), .block (128'h00112233445566778899aabbccddeeff),
		.key (256'h000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f)
	);

	wire [127:0] product;
	ghash_mul mul (
		.clk (clk), .x (128'h0388dace60b6a392f328c2b971b2fe78), .h (128'h66e94bd4ef8a2c3b884cfa59ca342b2e),
		.p (product)
	);

	wire         done;
	wire [7:0]   id;
	wire [159:0] digest;
	reg          start = 1'b0;
	sha1_pipe sha (
		.clk (clk), .rst (rst), .valid (start), .id (8'h5a), .state (160'h67452301efcdab8998badcfe10325476c3d2e1f0),
		.block ({32'h61626380, 416'h0, 64'd24}), .out_valid (done), .out_id (id), .out_state (digest)
	);

	integer errors = 0;
	initial begin
		repeat (4) @(negedge clk);
		rst = 1'b0;
		start = 1'b1;
		@(negedge clk);
		start = 1'b0;
		repeat (20) @(negedge clk);
		if (cipher !== 128'h69c4e0d86a7b0430d8cdb78070b4c55a) begin
			$display("AES-128: %h", cipher);
			errors = errors + 1;
		end
		if (product !== 128'h5e2ec746917062882c85b0685353deb7) begin
			$display("GHASH: %h", product);
			errors = errors + 1;
		end
		k256 = 1'b1;
		repeat (15) @(negedge clk);
		if (cipher !== 128'h8ea2b7ca516745bfeafc49904b496089) begin
			$display("AES-256: %h", cipher);
			errors = errors + 1;
		end
		repeat (47) @(negedge clk); // 83 clocks after start
		if (done !== 1'b1 || id !== 8'h5a || digest !== 160'ha9993e364706816aba3e25717850c26c9cd0d89d) begin
			$display("SHA-1: %b %h %h", done, id, digest);
			errors = errors + 1;
		end
		if (errors == 0)
			$display("leaves ok");
		$finish;
	end
endmodule

`default_nettype wire

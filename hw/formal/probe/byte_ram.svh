	genvar formal_i;
	wire [(8*OCTETS)*((1 << LOG2))-1:0] probe;
	generate
		for (formal_i = 0; formal_i < (1 << LOG2); formal_i = formal_i + 1) begin : formal_word
			assign probe[(8*OCTETS)*formal_i +: 8*OCTETS] = mem[formal_i];
		end
	endgenerate
